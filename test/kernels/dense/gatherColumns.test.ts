import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { gatherColumns } from "../../../engine/kernels/dense/gatherColumns.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("gatherColumns", () => {
	for (const dtype of ["f32", "f16"] as const) {
		for (const [rows, width, ranges] of [
			[1, 1, [[0, 1]]],
			[
				5,
				7,
				[
					[3, 2],
					[0, 3],
				],
			],
			[
				67,
				24,
				[
					[8, 4],
					[0, 4],
					[16, 8],
				],
			],
		] as const) {
			it(`puts columns ${ranges.join(" and ")} of [${rows}, ${width}] side by side in ${dtype}`, async () => {
				const values = randomValues(rows * width, 1);
				const x = dtype === "f16" ? float16ToFloat32(float32ToFloat16(values)) : values;
				const on = rows === 67 ? await testDevice({ maxBindingBytes: 3072 }) : device;
				const [y] = await runGraph(on, (graph) => gatherColumns(graph, residentTensor(on, "x", dtype, [rows, width], x), ranges, "picked"));
				const expected = Array.from({ length: rows }, (_, row) =>
					ranges.flatMap(([start, count]) => [...x.subarray(row * width + start, row * width + start + count)]),
				);
				expect([...y]).toEqual(expected.flat());
			});
		}
	}

	it("refuses columns beyond the last", async () => {
		await expect(
			runGraph(device, (graph) => gatherColumns(graph, residentTensor(device, "x", "f32", [2, 4]), [[3, 2]], "picked")),
		).rejects.toThrow("are not all in x f32[2,4]");
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { gatherRows } from "../../../engine/kernels/dense/gatherRows.ts";
import { randomValues, runGraph, testDevice, wholeAndInWindows } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("gatherRows", () => {
	const columns = 13;
	const x = randomValues(20 * columns, 1);
	const indices = Int32Array.from({ length: 401 }, (_, i) => ((i * 7) % 21) - 1);
	const expected = (values: Float32Array) =>
		Array.from({ length: indices.length * columns }, (_, i) =>
			indices[Math.floor(i / columns)] < 0 ? 0 : values[indices[Math.floor(i / columns)] * columns + (i % columns)],
		);

	for (const dtype of ["f32", "f16"] as const) {
		it(`copies rows and gives zeros for -1 in ${dtype}`, async () => {
			const [y] = await runGraph(device, (graph) =>
				gatherRows(graph, {
					x: residentTensor(device, "x", dtype, [4, 5, columns], x),
					indices: residentTensor(device, "i", "i32", [indices.length], indices),
				}),
			);
			expect([...y]).toEqual(expected(dtype === "f16" ? float16ToFloat32(float32ToFloat16(x)) : x));
		});
	}

	it("writes columns of a wider tensor, through windows, guard columns untouched", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		const [y] = await runGraph(small, (graph) =>
			gatherRows(graph, {
				x: residentTensor(small, "x", "f32", [20, columns], x),
				indices: residentTensor(small, "i", "i32", [indices.length], indices),
				into: { tensor: graph.input("wide", "f32", [indices.length, 16]), column: 2 },
			}),
		);
		const picked = expected(x);
		expect([...y]).toEqual(
			Array.from({ length: indices.length * 16 }, (_, i) =>
				i % 16 >= 2 && i % 16 < 15 ? picked[Math.floor(i / 16) * columns + (i % 16) - 2] : 0,
			),
		);
	});

	it("refuses an output that does not fit", () => {
		const tensor = residentTensor(device, "x", "f32", [4, 8]);
		const i = residentTensor(device, "i", "i32", [3]);
		return expect(
			runGraph(device, (graph) =>
				gatherRows(graph, { x: tensor, indices: i, into: { tensor: residentTensor(device, "y", "f32", [3, 9]), column: 2 } }),
			),
		).rejects.toThrow(/do not fit/);
	});

	it("reads x in windows, and keeps rows of -1 where told", async () => {
		for (const keep of [false, true]) {
			const [whole, windows] = await wholeAndInWindows(4096, (graph, tensor) =>
				gatherRows(graph, {
					x: tensor("x", "f32", [700, 3], randomValues(2100, 1)),
					indices: tensor(
						"i",
						"i32",
						[80],
						Int32Array.from({ length: 80 }, (_, i) => (i % 5 === 1 ? -1 : (i * 89) % 700)),
					),
					into: { tensor: tensor("y", "f32", [80, 4], randomValues(320, 2)), column: 1 },
					keep,
				}),
			);
			expect(windows).toEqual(whole);
			expect(whole[1 * 4 + 1]).toBe(keep ? randomValues(320, 2)[5] : 0);
		}
	});
});

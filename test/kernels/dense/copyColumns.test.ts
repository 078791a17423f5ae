import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import type { Tensor } from "../../../engine/gpu/tensor.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import type { Graph } from "../../../engine/graph/graph.ts";
import { copyColumns } from "../../../engine/kernels/dense/copyColumns.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const half = (values: Float32Array) => float16ToFloat32(float32ToFloat16(values));

/** torch: cat([a, b], -1), in float32. */
function beside(graph: Graph, a: Tensor, b: Tensor): Tensor {
	const [left, right] = [a, b].map((tensor) => tensor.shape.at(-1) ?? 0);
	const tensor = graph.tensor("beside", "f32", [...a.shape.slice(0, -1), left + right]);
	copyColumns(graph, { x: a, into: { tensor } });
	return copyColumns(graph, { x: b, into: { tensor, column: left } });
}

describe("copyColumns", () => {
	it("writes some columns into some columns, guard columns untouched", async () => {
		const x = randomValues(7 * 9, 1);
		const before = randomValues(7 * 11, 2);
		const [y] = await runGraph(device, (graph) =>
			copyColumns(graph, {
				x: residentTensor(device, "x", "f32", [7, 9], x),
				xColumn: 2,
				columns: 5,
				into: { tensor: residentTensor(device, "y", "f32", [7, 11], before), column: 4 },
			}),
		);
		expect([...y]).toEqual([...before].map((v, i) => (i % 11 >= 4 && i % 11 < 9 ? x[Math.floor(i / 11) * 9 + 2 + (i % 11) - 4] : v)));
	});

	it("concatenates tensors of different types", async () => {
		const a = randomValues(300 * 3, 1);
		const b = randomValues(300 * 5, 2);
		const [y] = await runGraph(device, (graph) =>
			beside(graph, residentTensor(device, "a", "f16", [2, 150, 3], a), residentTensor(device, "b", "f32", [2, 150, 5], b)),
		);
		const stored = half(a);
		expect([...y]).toEqual(
			Array.from({ length: 300 * 8 }, (_, i) =>
				i % 8 < 3 ? stored[Math.floor(i / 8) * 3 + (i % 8)] : b[Math.floor(i / 8) * 5 + (i % 8) - 3],
			),
		);
	});

	it("works through windows", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		const a = randomValues(600, 3);
		const b = randomValues(600 * 3, 4);
		const [y] = await runGraph(small, (graph) =>
			beside(graph, residentTensor(small, "a", "f32", [600, 1], a), residentTensor(small, "b", "f32", [600, 3], b)),
		);
		expect([...y]).toEqual(Array.from({ length: 2400 }, (_, i) => (i % 4 === 0 ? a[i / 4] : b[Math.floor(i / 4) * 3 + (i % 4) - 1])));
	});

	it("refuses columns that do not fit", () => {
		const x = residentTensor(device, "x", "f32", [4, 8]);
		const tensor = residentTensor(device, "y", "f32", [4, 10]);
		return expect(runGraph(device, (graph) => copyColumns(graph, { x, into: { tensor, column: 3 } }))).rejects.toThrow(/do not fit/);
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { softmax } from "../../../engine/kernels/dense/softmax.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** Softmax of every row, in f64. */
function reference(x: ArrayLike<number>, rows: number, columns: number): Float64Array {
	const y = new Float64Array(rows * columns);
	for (let row = 0; row < rows; row++) {
		const values = Array.from({ length: columns }, (_, c) => x[row * columns + c]);
		const largest = Math.max(...values);
		const total = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
		values.forEach((value, c) => {
			y[row * columns + c] = Math.exp(value - largest) / total;
		});
	}
	return y;
}

describe("softmax", () => {
	for (const [rows, columns] of [
		[1, 1],
		[5, 3],
		[3, 64],
		[7, 65],
		[2, 1374],
	]) {
		it(`sums to one over ${rows} rows of ${columns}, large scores included`, async () => {
			const x = randomValues(rows * columns, 1, 200);
			const [y] = await runGraph(device, (graph) => softmax(graph, { x: residentTensor(device, "x", "f32", [rows, columns], x) }));
			expect(nmse(y, reference(x, rows, columns))).toBeLessThan(1e-11);
		});
	}

	it("reads and writes f16", async () => {
		const x = randomValues(4 * 50, 2, 3).map((value) => Math.round(value * 64) / 64);
		const [y] = await runGraph(device, (graph) => softmax(graph, { x: residentTensor(device, "x", "f16", [4, 50], x) }));
		expect(nmse(y, reference(x, 4, 50))).toBeLessThan(1e-6);
	});

	it("works through windows of rows", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		const x = randomValues(100 * 20, 3, 5);
		const [y] = await runGraph(small, (graph) => softmax(graph, { x: residentTensor(small, "x", "f32", [100, 20], x) }));
		expect(nmse(y, reference(x, 100, 20))).toBeLessThan(1e-11);
	});
});

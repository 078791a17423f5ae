import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { prefixSum } from "../../../engine/kernels/splat/prefixSum.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const upload = (label: string, values: Uint32Array) => residentTensor(device, label, "u32", [values.length], values);

function reference(values: Uint32Array): Float32Array {
	const sums = [0];
	for (const value of values) sums.push(Math.min(sums[sums.length - 1] + value, 0xffffffff));
	return Float32Array.from(sums);
}

describe("prefixSum", () => {
	// One block holds 2,048 sums, the total included; past 2,048 blocks their totals need a third level (in the last case).
	it.each([1, 7, 255, 2047, 2048, 5000])("%i values", async (count) => {
		const values = Uint32Array.from(randomValues(count, count), (value) => (value + 1) * 50);
		const [sums] = await runGraph(device, (graph) => prefixSum(graph, { values: upload("values", values) }));
		expect(sums).toEqual(reference(values));
	});

	it("of more blocks than one block can sum", async () => {
		const values = new Uint32Array(2048 * 2048 + 5).fill(1);
		const [sums] = await runGraph(device, (graph) => prefixSum(graph, { values: upload("values", values) }));
		expect(sums.length).toBe(values.length + 1);
		expect(sums.every((sum, i) => sum === i)).toBe(true);
	});

	it("in another order", async () => {
		const values = Uint32Array.of(5, 0, 7, 1);
		const [sums] = await runGraph(device, (graph) =>
			prefixSum(graph, { values: upload("values", values), order: upload("order", Uint32Array.of(2, 3, 0, 1)) }),
		);
		expect([...sums]).toEqual([0, 7, 8, 13, 13]);
	});

	it("stays at 2^32 - 1, within a block and across blocks", async () => {
		for (const count of [3, 4100]) {
			const values = new Uint32Array(count).fill(0xfffffff);
			values[0] = 0xffffff00;
			const [sums] = await runGraph(device, (graph) => prefixSum(graph, { values: upload("values", values) }));
			expect(sums).toEqual(reference(values));
		}
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { radixSort } from "../../../engine/kernels/splat/radixSort.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const upload = (label: string, values: Uint32Array) => residentTensor(device, label, "u32", [values.length], values);

/** Indices of the keys in stable order. */
function sortedIndices(keys: Uint32Array): number[] {
	return Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b] || a - b);
}

describe("radixSort", () => {
	it.each([
		[1, 32],
		[300, 32],
		[2049, 12],
		[6000, 32],
		[5000, 4],
	])("%i keys of %i bits, equal ones in their order", async (count, bits) => {
		const distinct = Math.min(2 ** bits, count / 3);
		const step = Math.max(1, Math.floor((2 ** bits - 1) / distinct));
		const keys = Uint32Array.from(randomValues(count, count), (value) => Math.floor(((value + 1) / 2) * distinct) * step);
		const [sortedKeys, values] = await runGraph(device, (graph) => {
			const sorted = radixSort(graph, { keys: upload("keys", keys), bits });
			return [sorted.keys, sorted.values];
		});
		const expected = sortedIndices(keys);
		expect([...values]).toEqual(expected);
		expect(sortedKeys).toEqual(Float32Array.from(expected, (i) => keys[i]));
	});

	it("carries values along, sorts only the first `count`, and writes where it is told", async () => {
		const keys = Uint32Array.from(randomValues(3000, 5), (value) => (value + 1) * 100);
		const values = keys.map((_, i) => 7 * i + 1);
		const into = upload("into", new Uint32Array(3000));
		const [result] = await runGraph(device, (graph) => {
			const count = graph.scalar("count", 2100);
			return radixSort(graph, { keys: upload("keys", keys), values: upload("values", values), count, bits: 8, into }).values;
		});
		expect([...result.subarray(0, 2100)]).toEqual(sortedIndices(keys.slice(0, 2100)).map((i) => 7 * i + 1));
		expect(result.subarray(2100).every((value) => value === 0)).toBe(true);
	});

	it("orders positive floats by their bits", async () => {
		const depths = Float32Array.of(2, 0.21, 1e30, 1.9999999, 0.2);
		const [values] = await runGraph(
			device,
			(graph) => radixSort(graph, { keys: upload("keys", new Uint32Array(depths.buffer)), bits: 32 }).values,
		);
		expect([...values]).toEqual([4, 1, 3, 0, 2]);
	});
});

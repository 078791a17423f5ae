import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { compileGraph } from "../../../engine/graph/executable.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { elementwise } from "../../../engine/kernels/dense/elementwise.ts";
import { countNonFinite, findNonFinite } from "../../../engine/kernels/dense/nonFinite.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("nonFinite", () => {
	for (const dtype of ["f32", "f16"] as const) {
		for (const size of [1, 63, 1025, 70001]) {
			it(`counts NaN and infinities among ${size} ${dtype}`, async () => {
				const x = randomValues(size, 1, 1e4);
				const bad = [0, Math.floor(size / 2), size - 1];
				bad.forEach((at, i) => {
					x[at] = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY][i];
				});
				const [dirty, clean] = await runGraph(device, (graph) => [
					countNonFinite(graph, residentTensor(device, "x", dtype, [size], x)),
					countNonFinite(graph, residentTensor(device, "x", dtype, [size], randomValues(size, 2, 6e4))),
				]);
				expect(dirty[0]).toBe(new Set(bad).size);
				expect(clean[0]).toBe(0);
			});
		}
	}

	it("does not count what lies behind an odd number of f16", async () => {
		const bits = Uint16Array.of(0x3c00, 0x3c00, 0x3c00, 0x7c00);
		const [counts] = await runGraph(device, (graph) => {
			const four = residentTensor(device, "x", "f16", [4], bits);
			return countNonFinite(graph, { ...four, shape: [3] });
		});
		expect(counts[0]).toBe(0);
	});

	it("works through windows", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		const x = randomValues(10001, 3);
		for (const at of [5, 2047, 2048, 10000]) x[at] = Number.NaN;
		const [count] = await runGraph(small, (graph) => countNonFinite(graph, residentTensor(small, "x", "f16", [10001], x)));
		expect(count[0]).toBe(4);
	});

	it("names the first layer that writes one", async () => {
		const graph = new Graph(device, "test");
		const x = graph.input("x", "f32", [8]);
		let h = x;
		for (const layer of ["first", "second", "third"]) h = graph.scope(layer, () => elementwise(graph, { x: h, scale: 1e10, factor: h }));
		graph.output(h);
		const executable = await compileGraph(graph);
		executable.write(x, new Float32Array(8).fill(1));
		expect(await findNonFinite(device, executable)).toEqual({ label: "third/elementwise", tensor: "f32[1,8]", count: 8 });
		executable.write(x, new Float32Array(8).fill(1e-10));
		expect(await findNonFinite(device, executable)).toBeUndefined();
		executable.destroy();
	});

	it("refuses integers", () => {
		const x = residentTensor(device, "x", "i32", [4]);
		return expect(runGraph(device, (graph) => countNonFinite(graph, x))).rejects.toThrow(/f32 or f16/);
	});
});

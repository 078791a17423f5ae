import { describe, expect, it } from "vitest";
import { compileGraph } from "../../engine/graph/executable.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { elementwise } from "../../engine/kernels/dense/elementwise.ts";
import { requireFinite, requireFiniteTensor } from "../../engine/stages/finite.ts";
import { testDevice } from "../support/gpu.ts";

describe("requireFinite, requireFiniteTensor", async () => {
	const device = await testDevice();
	const graph = new Graph(device, "test");
	const x = graph.input("x", "f32", [8]);
	let h = x;
	for (const layer of ["first", "second", "third"]) h = graph.scope(layer, () => elementwise(graph, { x: h, scale: 1e10, factor: h }));
	const y = graph.output(h);
	const executable = await compileGraph(graph);
	const prepare = (value: number) => () => {
		executable.write(x, new Float32Array(8).fill(value));
		return executable;
	};

	it("name part and layer of the first value that is not finite", async () => {
		await prepare(1)().run();
		const expected = { code: "device", message: "decoder: the result is not finite; first in third/elementwise (8 values of f32[1,8])." };
		await expect(requireFiniteTensor(device, "decoder", y, prepare(1))).rejects.toMatchObject(expected);
		await expect(requireFinite(device, "decoder", await executable.read(y), prepare(1))).rejects.toMatchObject(expected);
	});

	it("say so where the repetition is finite", async () => {
		await prepare(1)().run();
		await expect(requireFiniteTensor(device, "decoder", y, prepare(1e-10))).rejects.toThrow(/not found again .*\(8 values\)/);
	});

	it("let finite values pass", async () => {
		await prepare(1e-10)().run();
		await requireFiniteTensor(device, "decoder", y, prepare(1));
		await requireFinite(device, "decoder", await executable.read(y), prepare(1));
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { registerShaders } from "../../engine/gpu/shaderSource.ts";
import { rowsOf } from "../../engine/gpu/tensor.ts";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import { compileGraph } from "../../engine/graph/executable.ts";
import { foldedWorkgroups, Graph } from "../../engine/graph/graph.ts";
import { planGraph } from "../../engine/graph/plan.ts";
import { testDevice } from "../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
	registerShaders({
		"test/scale": `alias Element = f32;
struct Params { count: u32, factor: f32 }
@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.count) { y[id.x] = Element(f32(x[id.x]) * params.factor); }
}
`,
		"test/broken": `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main() { y[0] = undeclared; }
`,
	});
});

function scale(graph: Graph, x: ReturnType<Graph["tensor"]>, factor: number | ReturnType<Graph["scalar"]>) {
	const y = graph.tensor("y", x.dtype, x.shape);
	graph.dispatch({
		shader: "test/scale",
		aliases: { Element: x.dtype },
		tensors: { x, y },
		params: { count: x.shape[0], factor },
		workgroups: [Math.ceil(x.shape[0] / 64)],
	});
	return y;
}

describe("Graph", () => {
	it("replays with changed inputs and scalars", async () => {
		const graph = new Graph(device, "replay");
		const x = graph.input("x", "f32", [100]);
		const y = graph.output(scale(graph, scale(graph, x, graph.scalar("factor", 2)), 10));
		const executable = await compileGraph(graph);
		executable.write(
			x,
			Float32Array.from({ length: 100 }, (_, i) => i),
		);
		await executable.run();
		expect((await executable.read(y))[7]).toBe(140);
		await executable.run({ factor: 0.5 });
		expect((await executable.read(y))[7]).toBe(35);
		await expect(executable.run({ nothing: 1 })).rejects.toThrow(/no scalar "nothing"/);
		executable.destroy();
	});

	it("shares memory by lifetime and knows the peak before it allocates", async () => {
		const graph = new Graph(device, "chain");
		let x = graph.input("x", "f32", [1024]);
		for (let i = 0; i < 10; i++) x = scale(graph, x, 2);
		graph.output(x);
		const plan = planGraph(graph);
		expect(plan.slots).toEqual([4096, 4096]);
		const before = device.memory.currentBytes;
		const executable = await compileGraph(graph);
		expect(device.memory.currentBytes - before).toBe(plan.byteLength);
		executable.destroy();
		expect(device.memory.currentBytes).toBe(before);
		await expect(compileGraph(graph, { maxBytes: 1000 })).rejects.toMatchObject({ code: "memory" });
	});

	it("keeps tapped results only", async () => {
		const graph = new Graph(device, "taps", { tapped: (name) => name === "block.1" });
		const input = graph.input("x", "f32", [64]);
		let x = input;
		for (let i = 0; i < 3; i++) x = graph.scope("block", () => graph.tap(String(i), scale(graph, x, 2)));
		expect([...graph.taps.keys()]).toEqual(["block.1"]);
		const executable = await compileGraph(graph);
		executable.write(input, new Float32Array(64).fill(1));
		await executable.run();
		expect((await executable.read(graph.taps.get("block.1") ?? x))[0]).toBe(4);
		executable.destroy();
	});

	it("reads and writes f16 and windows of tensors", async () => {
		if (!device.report.f16) return;
		const graph = new Graph(device, "f16");
		const x = graph.input("x", "f16", [256]);
		const y = graph.output(scale(graph, rowsOf(x, 128, 128), 3));
		const executable = await compileGraph(graph);
		executable.write(
			x,
			Float32Array.from({ length: 256 }, (_, i) => i),
		);
		await executable.run();
		expect((await executable.read(y))[1]).toBe(387);
		executable.destroy();
	});

	it("times every dispatch", async () => {
		if (!device.report.timestamps) return;
		const graph = new Graph(device, "profile");
		const x = graph.input("x", "f32", [64]);
		graph.scope("first", () => graph.output(scale(graph, x, 2)));
		const executable = await compileGraph(graph);
		const times = await executable.profile();
		expect(times.map((time) => time.label)).toEqual(["first/test/scale"]);
		expect(times[0].elapsedMs).toBeGreaterThanOrEqual(0);
		executable.destroy();
	});

	it("refuses what cannot be right, naming the kernel", async () => {
		const graph = new Graph(device, "wrong");
		const x = graph.input("x", "f32", [64]);
		const unwritten = graph.tensor("later", "f32", [64]);
		expect(() => scale(graph, unwritten, 1)).toThrow(/read before it is written/);
		const request = { shader: "test/scale", params: { count: 64, factor: 1 }, workgroups: [1] as const };
		expect(() => graph.dispatch({ ...request, tensors: { x, y: x } })).toThrow(/bound a second time/);
		expect(() => graph.dispatch({ ...request, tensors: { x, y: unwritten, z: x } })).toThrow(/no binding "z"/);
		expect(() => graph.dispatch({ ...request, tensors: { x, y: unwritten }, params: { count: 64 } })).toThrow(/Params.factor is missing/);
		expect(() => graph.dispatch({ ...request, tensors: { x, y: unwritten }, workgroups: [70000] })).toThrow(/foldedWorkgroups/);
		expect(() => graph.dispatch({ ...request, tensors: { x: rowsOf(x, 3, 8), y: unwritten } })).toThrow(/256-aligned/);
		const integers = residentTensor(device, "i", "u32", [64]);
		expect(() => graph.dispatch({ ...request, tensors: { x: integers, y: unwritten } })).toThrow(/must be f32, got u32/);
		graph.dispatch({ shader: "test/broken", tensors: { y: unwritten }, workgroups: [1] });
		await expect(compileGraph(graph)).rejects.toThrow(/kernel test\/broken.*does not compile[\s\S]*undeclared/);
	});

	it("folds workgroup counts", () => {
		for (const count of [1, 65535, 65536, 200001]) {
			const [x, y] = foldedWorkgroups(count);
			expect(x * y).toBeGreaterThanOrEqual(count);
			expect(Math.max(x, y)).toBeLessThanOrEqual(65535);
		}
	});
});

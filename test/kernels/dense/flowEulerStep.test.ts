import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16, roundToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { compileGraph } from "../../../engine/graph/executable.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { flowEulerStep } from "../../../engine/kernels/dense/flowEulerStep.ts";
import { nmse, randomValues, runGraph, testDevice, wholeAndInWindows } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const count = 333;
const x = randomValues(count, 1);
const velocity = randomValues(2 * count, 2);
const u = (i: number) => velocity[i];
const c = (i: number) => velocity[count + i];

describe("flowEulerStep", () => {
	it("follows one velocity", async () => {
		const [y] = await runGraph(device, (graph) =>
			flowEulerStep(graph, {
				x: residentTensor(device, "x", "f32", [count], x),
				conditional: { tensor: residentTensor(device, "v", "f32", [2, count], velocity) },
				dt: 0.25,
			}),
		);
		expect(
			nmse(
				y,
				x.map((v, i) => v - 0.25 * u(i)),
			),
		).toBeLessThan(1e-12);
	});

	for (const form of ["interpolated", "extrapolated"] as const) {
		it(`is guided, ${form}, over several steps with changed scalars`, async () => {
			const graph = new Graph(device, "test");
			const state = graph.input("x", "f32", [count]);
			const tensor = residentTensor(device, "v", "f32", [2, count], velocity);
			flowEulerStep(graph, {
				x: state,
				conditional: { tensor, start: count },
				unconditional: { tensor },
				form,
				dt: graph.scalar("dt", 0),
				guidance: graph.scalar("guidance", 0),
			});
			const executable = await compileGraph(graph);
			executable.write(state, x);
			await executable.run({ dt: 0.5, guidance: 3 });
			await executable.run({ dt: 0.125, guidance: 5 });
			const guided = (g: number, i: number) => (form === "interpolated" ? u(i) + g * (c(i) - u(i)) : (1 + g) * c(i) - g * u(i));
			expect(
				nmse(
					await executable.read(state),
					x.map((v, i) => v - 0.5 * guided(3, i) - 0.125 * guided(5, i)),
				),
			).toBeLessThan(1e-12);
			executable.destroy();
		});
	}

	it("rounds every result to float16 where asked, subnormal numbers and ties included", async () => {
		const wide = new Float32Array(4096);
		const flow = new Float32Array(8192);
		for (let i = 0; i < wide.length; i++) {
			wide[i] = roundToFloat16(Math.fround((randomValues(1, i)[0] + 0.001) * 2 ** ((i % 40) - 26)));
			flow[i] = roundToFloat16(Math.fround(randomValues(1, i + 9999)[0] * 2 ** ((i % 37) - 25)));
			flow[4096 + i] = roundToFloat16(Math.fround(flow[i] * (1 + randomValues(1, i + 77)[0])));
		}
		const [y] = await runGraph(device, (graph) => {
			const tensor = residentTensor(device, "v", "f32", [2, 4096], flow);
			return flowEulerStep(graph, {
				x: residentTensor(device, "x", "f32", [4096], wide),
				conditional: { tensor, start: 4096 },
				unconditional: { tensor },
				form: "interpolated",
				dt: 0.03125,
				guidance: 3,
				rounded: true,
			});
		});
		// Products and differences of float16 numbers are exact in float32, so the roundings to float16 are the only ones.
		const half = (v: number) => roundToFloat16(Math.fround(v));
		const expected = wide.map((v, i) => half(v - half(0.03125 * half(flow[i] + half(3 * half(flow[4096 + i] - flow[i]))))));
		expect(y.findIndex((v, i) => v !== expected[i])).toBe(-1);
	});

	it("keeps an f16 state", async () => {
		const [y] = await runGraph(device, (graph) =>
			flowEulerStep(graph, {
				x: residentTensor(device, "x", "f16", [count], x),
				conditional: { tensor: residentTensor(device, "v", "f16", [2, count], velocity) },
				dt: 1,
			}),
		);
		const half = (values: Float32Array) => float16ToFloat32(float32ToFloat16(values));
		const flow = half(velocity);
		expect(
			nmse(
				y,
				half(x).map((v, i) => v - flow[i]),
			),
		).toBeLessThan(1e-6);
	});

	it("refuses a velocity that is too short", () => {
		const tensor = residentTensor(device, "v", "f32", [4]);
		return expect(
			runGraph(device, (graph) => flowEulerStep(graph, { x: residentTensor(device, "x", "f32", [5]), conditional: { tensor }, dt: 1 })),
		).rejects.toThrow(/shorter/);
	});

	it("gives the same in windows, from velocities that begin anywhere", async () => {
		const [whole, windows] = await wholeAndInWindows(4096, (graph, tensor) => {
			const velocity = tensor("v", "f16", [2, 1501], randomValues(3002, 1));
			const x = tensor("x", "f32", [1501], randomValues(1501, 2));
			const [conditional, unconditional] = [{ tensor: velocity, start: 1501 }, { tensor: velocity }];
			return flowEulerStep(graph, { x, conditional, unconditional, form: "interpolated", guidance: 3, dt: 0.1, rounded: true });
		});
		expect(windows).toEqual(whole);
	});
});

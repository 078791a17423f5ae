import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { activate, add, cast, elementwise } from "../../../engine/kernels/dense/elementwise.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const half = (values: Float32Array) => float16ToFloat32(float32ToFloat16(values));

describe("elementwise", () => {
	for (const [rows, columns] of [
		[1, 1],
		[3, 85],
		[1, 257],
		[700, 3],
	] as const) {
		it(`multiplies and adds tensors of one shape, [${rows}, ${columns}]`, async () => {
			const x = randomValues(rows * columns, 1);
			const factor = randomValues(rows * columns, 2);
			const addend = randomValues(rows * columns, 3);
			const [y] = await runGraph(device, (graph) =>
				elementwise(graph, {
					x: residentTensor(device, "x", "f32", [rows, columns], x),
					factor: residentTensor(device, "f", "f16", [rows, columns], factor),
					addend: residentTensor(device, "a", "f32", [rows, columns], addend),
					scale: 2,
					addendScale: -0.5,
				}),
			);
			const stored = half(factor);
			expect(
				nmse(
					y,
					x.map((v, i) => 2 * v * stored[i] - 0.5 * addend[i]),
				),
			).toBeLessThan(1e-12);
		});
	}

	it("adds a row to all rows, and rows shared by groups", async () => {
		const [rows, columns] = [12, 7];
		const x = randomValues(rows * columns, 1);
		const row = randomValues(columns, 2);
		const groups = randomValues(3 * 20, 3);
		const [a, b] = await runGraph(device, (graph) => {
			const tensor = residentTensor(device, "x", "f16", [2, 6, columns], x);
			return [
				add(graph, tensor, residentTensor(device, "r", "f32", [columns], row)),
				elementwise(graph, {
					x: tensor,
					factor: { tensor: residentTensor(device, "g", "f32", [3, 20], groups), rows: 4, column: 11 },
					outputDtype: "f32",
				}),
			];
		});
		const stored = half(x);
		expect(
			nmse(
				a,
				stored.map((v, i) => v + row[i % columns]),
			),
		).toBeLessThan(1e-7);
		expect(
			nmse(
				b,
				stored.map((v, i) => v * groups[Math.floor(i / columns / 4) * 20 + 11 + (i % columns)]),
			),
		).toBeLessThan(1e-12);
	});

	it("activates", async () => {
		const x = randomValues(1000, 4, 12);
		x.set([-300, 300, -88.5], 0); // beyond the range of exp
		const [silu, tanh, gelu] = await runGraph(device, (graph) => {
			const tensor = residentTensor(device, "x", "f32", [1000], x);
			return [activate(graph, tensor, "silu"), activate(graph, tensor, "geluTanh"), activate(graph, tensor, "gelu")];
		});
		expect(
			nmse(
				silu,
				x.map((v) => v / (1 + Math.exp(-v))),
			),
		).toBeLessThan(1e-12);
		expect(
			nmse(
				tanh,
				x.map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))),
			),
		).toBeLessThan(1e-12);
		// erf(x / sqrt 2) = 2 / sqrt(2 pi) * integral of exp(-t^2 / 2) from 0 to x, by Simpson's rule.
		const erf = (v: number) => {
			const steps = 2000;
			let sum = 1 + Math.exp((-v * v) / 2);
			for (let i = 1; i < steps; i++) sum += (i % 2 ? 4 : 2) * Math.exp(-(((v * i) / steps) ** 2) / 2);
			return ((sum * v) / steps / 3) * Math.sqrt(2 / Math.PI);
		};
		expect(
			nmse(
				gelu,
				x.map((v) => 0.5 * v * (1 + erf(v))),
			),
		).toBeLessThan(1e-12);
	});

	it("casts to nearest even", async () => {
		const x = Float32Array.of(1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, -0.1, 2 ** -14);
		const [y] = await runGraph(device, (graph) => cast(graph, cast(graph, residentTensor(device, "x", "f32", [6], x), "f16"), "f32"));
		expect([...y]).toEqual([...half(x)]);
	});

	it("works in place, with a scalar of the graph", async () => {
		const x = randomValues(100, 5);
		const [y] = await runGraph(device, (graph) => {
			const tensor = residentTensor(device, "x", "f32", [10, 10], x);
			return elementwise(graph, {
				x: tensor,
				scale: graph.scalar("s", 3),
				addend: residentTensor(device, "a", "f32", [10, 10], x),
				inPlace: true,
			});
		});
		expect(
			nmse(
				y,
				x.map((v) => 4 * v),
			),
		).toBeLessThan(1e-12);
	});

	it("works through windows", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		const x = randomValues(400 * 20, 6);
		const groups = randomValues(8 * 20, 7);
		const [y] = await runGraph(small, (graph) => {
			const tensor = residentTensor(small, "x", "f32", [400, 20], x);
			return elementwise(graph, {
				x: tensor,
				factor: { tensor: residentTensor(small, "g", "f32", [8, 20], groups), rows: 50 },
				addend: tensor,
			});
		});
		expect(
			nmse(
				y,
				x.map((v, i) => v * groups[Math.floor(i / 1000) * 20 + (i % 20)] + v),
			),
		).toBeLessThan(1e-12);
	});

	it("refuses operands that do not fit", () => {
		const x = residentTensor(device, "x", "f32", [4, 8]);
		return expect(runGraph(device, (graph) => add(graph, x, residentTensor(device, "a", "f32", [9])))).rejects.toThrow(/addend must be/);
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { ddimStep } from "../../../engine/kernels/dense/ddimStep.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const count = 333;
const x = randomValues(count, 1);
const predictions = randomValues(2 * count, 2);
const noise = randomValues(count, 3);
const step = { sqrtAlpha: 0.6, sqrtBeta: 0.8, sqrtAlphaPrevious: 0.8, direction: 0.5, sigma: 0.3 };

describe("ddimStep", () => {
	for (const prediction of ["epsilon", "v_prediction", "sample"] as const) {
		it(`${prediction}: guided, clipped, with noise`, async () => {
			const [y] = await runGraph(device, (graph) => {
				const tensor = residentTensor(device, "m", "f32", [2, count], predictions);
				return ddimStep(graph, {
					x: residentTensor(device, "x", "f32", [count], x),
					conditional: { tensor, start: count },
					unconditional: { tensor },
					guidance: 3,
					noise: { tensor: residentTensor(device, "noise", "f32", [count], noise) },
					prediction,
					step,
					clipRange: 1,
				});
			});
			const expected = x.map((sample, i) => {
				const m = predictions[i] + 3 * (predictions[count + i] - predictions[i]);
				const clean = { epsilon: (sample - 0.8 * m) / 0.6, v_prediction: 0.6 * sample - 0.8 * m, sample: m }[prediction];
				const error = { epsilon: m, v_prediction: 0.6 * m + 0.8 * sample, sample: (sample - 0.6 * m) / 0.8 }[prediction];
				return 0.8 * Math.min(Math.max(clean, -1), 1) + 0.5 * error + 0.3 * noise[i];
			});
			expect(nmse(y, expected)).toBeLessThan(1e-12);
		});
	}

	it("takes an f16 prediction without guidance and noise", async () => {
		const output = Float32Array.from({ length: count }, (_, i) => ((i % 64) - 32) / 16);
		const [y] = await runGraph(device, (graph) =>
			ddimStep(graph, {
				x: residentTensor(device, "x", "f32", [count], x),
				conditional: { tensor: residentTensor(device, "m", "f16", [count], output) },
				prediction: "epsilon",
				step,
			}),
		);
		expect(
			nmse(
				y,
				x.map((sample, i) => 0.8 * ((sample - 0.8 * output[i]) / 0.6) + 0.5 * output[i]),
			),
		).toBeLessThan(1e-12);
	});

	it("refuses a prediction that is too short, and guidance without its other half", async () => {
		const tensor = residentTensor(device, "m", "f32", [4]);
		const request = { x: residentTensor(device, "x", "f32", [5]), conditional: { tensor }, prediction: "epsilon", step } as const;
		await expect(runGraph(device, (graph) => ddimStep(graph, request))).rejects.toThrow(/shorter/);
		const longer = residentTensor(device, "m", "f32", [5]);
		await expect(
			runGraph(device, (graph) => ddimStep(graph, { ...request, conditional: { tensor: longer }, guidance: 3 })),
		).rejects.toThrow(/go together/);
	});
});

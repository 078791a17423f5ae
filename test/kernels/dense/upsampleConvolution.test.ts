import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { convolution } from "../../../engine/kernels/dense/convolution.ts";
import { upsampleConvolution } from "../../../engine/kernels/dense/upsampleConvolution.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("upsampleConvolution", () => {
	for (const [dtype, bound] of [
		["f32", 1e-12],
		["f16", 4e-7],
	] as const) {
		for (const [images, height, width, channels, columns] of [
			[1, 4, 4, 8, 16],
			[2, 3, 5, 4, 12],
			[3, 1, 7, 32, 12],
			[3, 20, 3, 4, 16],
		]) {
			it(`${images} of ${height} x ${width}, ${channels} channels to ${columns}, in ${dtype}`, async () => {
				const x = randomValues(images * height * width * channels, 1).map((v) => Math.round(v * 64) / 64);
				const weights = randomValues(columns * 9 * channels, 2).map((v) => Math.round(v * 64) / 64);
				const [actual, expected] = await runGraph(device, (graph) => {
					const bias = residentTensor(device, "bias", "f32", [columns], randomValues(columns, 3));
					const request = (of: "f32" | "f16") => ({
						x: residentTensor(device, "x", of, [images, height, width, channels], x),
						weight: residentTensor(device, "weight", of, [columns, 3, 3, channels], weights),
						bias,
					});
					return [upsampleConvolution(graph, request(dtype)), convolution(graph, { ...request("f32"), upsample: 2, padding: 1 })];
				});
				expect(nmse(actual, expected)).toBeLessThan(bound);
			});
		}
	}

	it("takes images in groups, and holds in f16 what the pixels hold", async () => {
		const x = Float32Array.from({ length: 3 * 8 * 8 * 8 }, (_, i) => (((i >> 3) + (i >> 6)) % 2 === 0 ? 60000 : -60000));
		const weights = randomValues(16 * 9 * 8, 2).map((v) => v / 32);
		const [actual, expected] = await runGraph(device, (graph) => {
			const of = (dtype: "f16" | "f32") => ({
				x: residentTensor(device, "x", dtype, [3, 8, 8, 8], x),
				weight: residentTensor(device, "weight", dtype, [16, 3, 3, 8], weights),
			});
			const chunked = upsampleConvolution(graph, { ...of("f16"), chunkBytes: 60_000 });
			return [chunked, convolution(graph, { ...of("f32"), upsample: 2, padding: 1 })];
		});
		expect(nmse(actual, expected)).toBeLessThan(4e-6);
	});

	it("refuses a weight that does not fit", async () => {
		const run = () =>
			runGraph(device, (graph) =>
				upsampleConvolution(graph, {
					x: residentTensor(device, "x", "f32", [1, 4, 4, 8]),
					weight: residentTensor(device, "weight", "f32", [4, 3, 3, 4]),
				}),
			);
		await expect(run()).rejects.toThrow("weight f32[4,3,3,4] does not fit x f32[1,4,4,8]");
	});
});

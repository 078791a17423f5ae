import { describe, expect, it } from "vitest";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { declarePixelAttention, onProducts, recordByAttention, recordByScores } from "../../engine/layers/pixelAttention.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { nmse, randomValues, runGraph, testDevice } from "../support/gpu.ts";

describe("pixelAttention", () => {
	for (const [dtype, bound] of [
		["f32", 1e-11],
		["f16", 2e-6],
	] as const) {
		it(`gives by products of matrices what the attention kernel gives, in ${dtype}`, async () => {
			const device = await testDevice();
			const [images, height, width, channels] = [2, 6, 8, 64];
			const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
			const block = declarePixelAttention(weights, { channels, groups: 4, eps: 1e-6 }, dtype);
			await weights.load(device);
			const x = randomValues(images * height * width * channels, 2, 3);
			const [products, kernel] = await runGraph(device, (graph) => {
				const normed = residentTensor(device, "x", dtype, [images, height, width, channels], x);
				return [recordByScores(graph, block, normed), recordByAttention(graph, block, normed)];
			});
			expect(nmse(products, kernel)).toBeLessThan(bound);
			weights.release();
		});
	}

	it("goes by products where matrices multiply, the head is wide and its scores fit a binding", async () => {
		const device = await testDevice();
		const matrices = { subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
		const runs = (report: object, shape: readonly number[], maxStorageBufferBindingSize = 2 ** 31) => {
			const limits = { ...device.report.limits, maxStorageBufferBindingSize };
			const graph = new Graph({ ...device, report: { ...device.report, ...report, limits } }, "test");
			return onProducts(graph, graph.input("x", "f16", shape));
		};
		expect(runs(matrices, [1, 96, 96, 512])).toBe(true);
		expect(runs({}, [1, 96, 96, 512])).toBe(false);
		expect(runs(matrices, [1, 96, 96, 64])).toBe(false);
		expect(runs(matrices, [1, 96, 96, 512], 2 ** 28)).toBe(false);
	});
});

import { describe, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.ts";
import { declareResnetBlock, recordResnetBlock } from "../../engine/layers/resnetBlock.ts";
import { adapters } from "../../runners/parity/adapters/resnet.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { testDevice } from "../support/gpu.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("resnetBlock", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the numbers of the official module in ${dtype}, resamplers too`, async () => {
			expect(failures(await runParityFixture("resnet_block", adapters.resnet_block, dtype))).toEqual([]);
		});
	}

	it("wants a time embedding exactly where it has weights for one", async () => {
		const graph = new Graph(await testDevice(), "test");
		const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
		const block = declareResnetBlock(weights, { inChannels: 8, outChannels: 8, groups: 4, eps: 1e-5, timeChannels: 16 }, "f32");
		expect(() => recordResnetBlock(graph, block, graph.input("x", "f32", [1, 4, 4, 8]))).toThrow(/time embedding/);
	});
});

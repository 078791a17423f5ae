import { describe, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.ts";
import { declareSparseTransformerBlock, recordSparseTransformerBlock } from "../../engine/layers/sparseTransformerBlock.ts";
import { adapters } from "../../runners/parity/adapters/stage2Attention.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { testDevice } from "../support/gpu.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("sparseTransformerBlock", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the numbers of the official module in ${dtype}, shifted windows and view features`, async () => {
			expect(failures(await runParityFixture("decoder_block", adapters.decoder_block, dtype))).toEqual([]);
		});
	}

	it("refuses pixel features of another width", async () => {
		const graph = new Graph(await testDevice(), "test");
		const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
		const block = declareSparseTransformerBlock(weights, { channels: 32, heads: 2, mlpRatio: 4, viewChannels: 8 }, "f32");
		const rows = graph.input("rows", "u32", [5]);
		const windows = { rows, offsets: graph.input("offsets", "u32", [2]), largest: 5 };
		const pixels = {
			frontBack: graph.input("front", "f32", [3, 32]),
			sides: graph.input("sides", "f32", [2, 24]),
			positions: graph.input("positions", "i32", [5, 2]),
		};
		const x = graph.input("x", "f32", [5, 32]);
		expect(() => recordSparseTransformerBlock(graph, block, { x, windows, pixels })).toThrow(/must have 32 columns/);
	});
});

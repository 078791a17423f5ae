import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { declareClipVision, readClipVisionConfig, recordClipVision } from "../../engine/models/clipVision.ts";
import { adapters } from "../../runners/parity/adapters/imageEncoders.ts";
import { configOf } from "../../runners/parity/configOf.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { testDevice } from "../support/gpu.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const json = {
	hidden_size: 16,
	intermediate_size: 32,
	num_attention_heads: 2,
	num_hidden_layers: 2,
	image_size: 28,
	patch_size: 14,
	projection_dim: 8,
};
const config = readClipVisionConfig(configOf(json, "config.json"));

describe("clipVision", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the numbers of the official module in ${dtype}`, async () => {
			expect(failures(await runParityFixture("clip_vision", adapters.clip_vision, dtype))).toEqual([]);
		});
	}

	it("declares the names of a checkpoint and nothing else; position ids of older files may be there", () => {
		const made = syntheticSource({ name: "synthetic", seed: 1 });
		const asked = Weights.open(made);
		declareClipVision(asked, config, "f32");
		expect(asked.declared).toHaveLength(8 + 2 * 16);
		const stored = [
			...asked.declared.map(({ name, storedShape }) => [name, storedShape] as const),
			["vision_model.embeddings.position_ids", [1, 5]] as const,
		];
		const weights = Weights.open({ ...made, entries: new Map(stored.map(([name, shape]) => [name, { dtype: "F16", shape }])) });
		declareClipVision(weights, config, "f32");
		expect(() => weights.finish()).not.toThrow();
	});

	it("refuses pixels of another size", () => {
		const model = declareClipVision(Weights.open(syntheticSource({ name: "synthetic", seed: 1 })), config, "f32");
		const graph = new Graph(device, "test");
		expect(() => recordClipVision(graph, model, graph.input("pixels", "f32", [1, 28, 42, 3]))).toThrow(/pixels must be \[images,28,28,3\]/);
	});

	it("refuses configs that ask for something else", () => {
		const wrong = (extra: object) => () => readClipVisionConfig(configOf({ ...json, ...extra }, "config.json"));
		expect(wrong({ hidden_act: "quick_gelu" })).toThrow(/hidden_act must be one of gelu/);
		expect(wrong({ num_attention_heads: 3 })).toThrow(/num_attention_heads/);
		expect(wrong({ image_size: 13 })).toThrow(/image_size/);
	});
});

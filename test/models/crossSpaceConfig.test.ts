import { describe, expect, it } from "vitest";
import { readCrossSpaceConfig } from "../../engine/models/crossSpaceConfig.ts";
import { declareCrossSpaceDiffusion } from "../../engine/models/crossSpaceDiffusion.ts";
import { createCrossSpaceState, stateTensors } from "../../engine/models/crossSpaceState.ts";
import { configOf } from "../../runners/parity/configOf.ts";
import { syntheticConfigs } from "../../weights/syntheticCheckpoint.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";

const full = syntheticConfigs("full").components.SyncHuman_2D3DCrossSpaceDiffusion as Record<string, unknown>;
const read = (changes: object = {}, engine: object = {}) =>
	readCrossSpaceConfig(configOf({ ...full, ...changes }, "config.json"), configOf(engine, "engine.json"));

describe("config of the 2D-3D network", () => {
	it("reads the released sizes; those of the dual cross attention are the official constructor's", () => {
		const { unet, structure, synchronisation, latentSize } = read();
		expect(latentSize).toBe(96);
		expect(unet.levels.map(({ channels, heads }) => [channels, heads])).toEqual([
			[320, 5],
			[640, 10],
			[1280, 20],
			[1280, 20],
		]);
		expect(unet.levels.map(({ attention }) => attention.down && attention.up)).toEqual([true, true, true, false]);
		expect([unet.timeSinusoidChannels, unet.timeChannels, unet.classLabelChannels]).toEqual([320, 1280, 2048]);
		expect([structure.blocks, structure.block.heads, structure.resolution]).toEqual([24, 16, 16]);
		expect(synchronisation.structure.map(({ imageChannels }) => imageChannels)).toEqual([640, 1280]);
		expect(synchronisation.images[1]).toEqual({ imageChannels: 1280, structureChannels: 1024, heads: 16, headSize: 64 });
	});

	it("declares the 1,397 tensors of the released checkpoint, 1.70 billion parameters", () => {
		const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
		const model = declareCrossSpaceDiffusion(weights, read(), "f16");
		expect(weights.declared.length).toBe(1397);
		const parameters = weights.declared.reduce((sum, { storedShape }) => sum + storedShape.reduce((a, b) => a * b, 1), 0);
		expect(parameters / 1e6).toBeCloseTo(1699.5 + 4.2, 0); // ARCHITECTURE.md counts without pos_emb
		const state = createCrossSpaceState(model, { steps: 50, promptTokens: 77, conditionTokens: 1374 });
		expect(stateTensors(state).reduce((sum, { storage }) => sum + storage.byteLength, 0)).toBeLessThan(300 * 2 ** 20);
	});

	it("takes the sizes of engine.json", () => {
		const sizes = { SS_query_dim_MV: [32, 64], MV_query_dim_MV: 64, query_dim_Structure: 32, heads: 2, dim_head: 16 };
		const { synchronisation } = read({}, { dual_cross_attention: sizes });
		expect(synchronisation.structure[1]).toEqual({ imageChannels: 64, structureChannels: 32, heads: 2, headSize: 16 });
	});

	it.each([
		[{ block_out_channels: [320, 640] }, "attention_head_dim"],
		[{ attention_head_dim: [3, 10, 20, 20] }, "heads must divide"],
		[{ down_block_types: ["AttnDownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D"] }, "down_block_types"],
		[{ norm_num_groups: 48 }, "norm_num_groups"],
		[{ num_views: 7 }, "num_views must be 5"],
		[{ patch_size: 2 }, "patch_size must be 1"],
		[{ cd_attention_mid: true }, "cd_attention_mid must be false"],
		[{ trellis_out_channels: 4 }, "trellis_out_channels"],
	])("names what it cannot run: %j", (changes, message) => {
		expect(() => read(changes)).toThrow(message);
	});
});

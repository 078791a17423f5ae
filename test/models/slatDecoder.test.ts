import { describe, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.ts";
import { declareSlatDecoder, readSlatDecoderConfig, recordSlatDecoder } from "../../engine/models/slatDecoder.ts";
import { configOf } from "../../runners/parity/configOf.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { testDevice } from "../support/gpu.ts";

// The numbers of the official trunk: see slatGaussianDecoder.test.ts and slatMeshDecoder.test.ts.
const released = { resolution: 64, model_channels: 768, latent_channels: 8, num_blocks: 12, num_heads: 12, mlp_ratio: 4, window_size: 8 };
const none = configOf({}, "engine.json");

describe("readSlatDecoderConfig", () => {
	it("takes the official constructor's 1024 channels a view, engine.json's where it has them", () => {
		expect(readSlatDecoderConfig(configOf(released, "config.json"), none)).toMatchObject({ viewChannels: 1024, imageChannels: 4096 });
		const engine = configOf({ mv_dim_of_blocks: 16 }, "engine.json");
		expect(readSlatDecoderConfig(configOf(released, "config.json"), engine)).toMatchObject({ viewChannels: 16, imageChannels: 64 });
	});

	for (const [change, message] of [
		[{ use_faceinfo: true }, /use_faceinfo must be false/],
		[{ use_multiscale: false }, /use_multiscale must be true/],
		[{ mv_condition_mode: "front_only" }, /mv_condition_mode must be one of 4_view/],
		[{ attn_mode: "full" }, /attn_mode must be one of swin/],
		[{ mv_dim: 8 }, /mv_dim must be 1024/],
	] as const) {
		it(`refuses ${JSON.stringify(change)}`, () => {
			expect(() => readSlatDecoderConfig(configOf({ ...released, ...change }, "config.json"), none)).toThrow(message);
		});
	}
});

describe("recordSlatDecoder", () => {
	it("refuses image features of another size and latents of other voxels", async () => {
		const config = readSlatDecoderConfig(
			configOf({ ...released, model_channels: 64, num_blocks: 1, num_heads: 2 }, "config.json"),
			configOf({ mv_dim_of_blocks: 8 }, "engine.json"),
		);
		const model = declareSlatDecoder(Weights.open(syntheticSource({ name: "synthetic", seed: 1 })), config, "f32");
		const graph = new Graph(await testDevice(), "test");
		const coords = Int32Array.of(0, 1, 2, 3, 0, 1, 2, 4);
		const maps = (channels: number) => graph.input("maps", "f32", [4, 64, 64, channels]);
		const input = { coords, slat: graph.input("slat", "f32", [2, 8]), colors: maps(32), normals: maps(32) };
		expect(() => recordSlatDecoder(graph, model, { ...input, normals: maps(16) })).toThrow(/\[4,64,64,32\], got f32\[4,64,64,16\]/);
		expect(() => recordSlatDecoder(graph, model, { ...input, slat: graph.input("slat", "f32", [3, 8]) })).toThrow(/must have 2 rows/);
		expect(recordSlatDecoder(graph, model, input).shape).toEqual([2, 64]);
	});
});

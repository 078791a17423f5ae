import { describe, expect, it } from "vitest";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import {
	cubeChannels,
	declareSlatMeshDecoder,
	readSlatMeshDecoderConfig,
	recordSlatMeshDecoder,
} from "../../engine/models/slatMeshDecoder.ts";
import { adapters } from "../../runners/parity/adapters/stage2Decoders.ts";
import { configOf } from "../../runners/parity/configOf.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { randomValues, runGraph, testDevice } from "../support/gpu.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";
import { bodyVoxels } from "../support/voxels.ts";

const small = {
	resolution: 64,
	model_channels: 32,
	latent_channels: 8,
	num_blocks: 1,
	num_heads: 2,
	mlp_ratio: 2,
	window_size: 8,
	representation_config: { use_color: true },
};
const engine = configOf({ mv_dim_of_blocks: 4, num_groups_of_subdivide_blocks: 4 }, "engine.json");

describe("slatMeshDecoder", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the cube features of the official network in ${dtype}`, async () => {
			expect(failures(await runParityFixture("slat_decoder_mesh", adapters.slat_decoder_mesh, dtype))).toEqual([]);
		});
	}

	it("leaves out the colours, the other channels unchanged", async () => {
		const device = await testDevice();
		const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
		const model = declareSlatMeshDecoder(weights, readSlatMeshDecoderConfig(configOf(small, "config.json"), engine), "f32");
		await weights.load(device);
		const coords = bodyVoxels([{ resolution: 64, height: 0.2, halfThickness: 0.5 }]);
		const voxels = coords.length / 4;
		const side = 16;
		const maps = (seed: number) => residentTensor(device, "maps", "f32", [4, side, side, 16], randomValues(4 * side * side * 16, seed));
		const slat = residentTensor(device, "slat", "f32", [voxels, 8], randomValues(voxels * 8, 1));
		const input = { coords, slat, colors: maps(2), normals: maps(3) };
		const [whole, part] = await runGraph(device, (graph) => [
			recordSlatMeshDecoder(graph, model, input, true),
			recordSlatMeshDecoder(graph, model, input, false),
		]);
		const { withColors, withoutColors } = cubeChannels;
		expect(whole.length).toBe(64 * voxels * withColors);
		expect(part).toEqual(whole.filter((_, i) => i % withColors < withoutColors));
		weights.release();
	});

	it("refuses widths that the groups do not divide and colours that the head does not have", async () => {
		expect(() => readSlatMeshDecoderConfig(configOf({ ...small, model_channels: 40 }, "config.json"), engine)).toThrow(/multiple of 32/);
		const colorless = configOf({ ...small, representation_config: { use_color: false } }, "config.json");
		const model = declareSlatMeshDecoder(
			Weights.open(syntheticSource({ name: "synthetic", seed: 1 })),
			readSlatMeshDecoderConfig(colorless, engine),
			"f32",
		);
		const device = await testDevice();
		const maps = residentTensor(device, "maps", "f32", [4, 16, 16, 16]);
		const input = { coords: Int32Array.of(0, 1, 2, 3), slat: residentTensor(device, "slat", "f32", [1, 8]), colors: maps, normals: maps };
		await expect(runGraph(device, (graph) => recordSlatMeshDecoder(graph, model, input, true))).rejects.toThrow(/no colours/);
	});
});

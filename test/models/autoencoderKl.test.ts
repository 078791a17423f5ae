import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { readAutoencoderConfig } from "../../engine/models/autoencoderConfig.ts";
import { declareAutoencoderEncoder, declareAutoencoderKl, recordDecode, recordEncode } from "../../engine/models/autoencoderKl.ts";
import { adapters } from "../../runners/parity/adapters/autoencoder.ts";
import { configOf } from "../../runners/parity/configOf.ts";
import type { TensorSource } from "../../weights/source.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { testDevice } from "../support/gpu.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const json = { block_out_channels: [8, 16], norm_num_groups: 4, layers_per_block: 1, in_channels: 3, out_channels: 3, latent_channels: 4 };
const config = readAutoencoderConfig(configOf(json, "config.json"));

describe("autoencoderKl", () => {
	for (const name of ["vae_encode", "vae_decode"] as const) {
		for (const dtype of ["f32", "f16"] as const) {
			it(`gives the numbers of the official module: ${name} in ${dtype}`, async () => {
				expect(failures(await runParityFixture(name, adapters[name], dtype))).toEqual([]);
			});
		}
	}

	it("finds attention weights under their old names", async () => {
		const made = syntheticSource({ name: "synthetic", seed: 1 });
		const old = { to_q: "query", to_k: "key", to_v: "value", "to_out.0": "proj_attn" };
		const modern = Weights.open(made);
		declareAutoencoderKl(modern, config, "f32");
		const entries = new Map(
			modern.declared.map(({ name, storedShape }) => {
				const renamed = Object.entries(old).reduce((text, [from, to]) => text.replace(`.${from}.`, `.${to}.`), name);
				return [renamed, { dtype: "F16" as const, shape: storedShape }];
			}),
		);
		const source: TensorSource = { ...made, entries };
		const weights = Weights.open(source);
		declareAutoencoderKl(weights, config, "f32");
		expect(() => weights.finish()).not.toThrow();
		expect(weights.declared.filter(({ name }) => name.includes("to_q"))).toEqual([]);
	});

	it("refuses pictures and latents that do not fit", () => {
		const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
		const { encoder, decoder } = declareAutoencoderKl(weights, config, "f32");
		const graph = new Graph(device, "test");
		expect(() => recordEncode(graph, encoder, graph.input("x", "f32", [1, 7, 8, 3]))).toThrow(/multiples of 2/);
		expect(() => recordDecode(graph, decoder, graph.input("z", "f32", [1, 4, 4, 3]))).toThrow(/\[images, height, width, 4\]/);
	});

	it("refuses configs that ask for something else", () => {
		const wrong = (extra: object) => () => readAutoencoderConfig(configOf({ ...json, ...extra }, "config.json"));
		expect(wrong({ shift_factor: 0.1 })).toThrow(/shift_factor/);
		expect(wrong({ norm_num_groups: 3 })).toThrow(/norm_num_groups/);
		expect(wrong({ down_block_types: ["DownEncoderBlock2D", "AttnDownEncoderBlock2D"] })).toThrow(/DownEncoderBlock2D/);
	});

	it("works without the 1x1 convolutions of the latents", () => {
		const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
		const without = readAutoencoderConfig(configOf({ ...json, use_quant_conv: false }, "config.json"));
		expect(declareAutoencoderEncoder(weights, without, "f32").quantConv).toBeUndefined();
	});
});

// upstream: diffusers 0.29.1, models/autoencoders/autoencoder_kl.py, its config.json

import type { ConfigReader } from "../../weights/configReader.ts";

/** Sizes of an AutoencoderKL. */
export interface AutoencoderConfig {
	/** Channels of the picture that is encoded, and of the one that is decoded. */
	readonly inChannels: number;
	readonly outChannels: number;
	readonly latentChannels: number;
	/** Of each level, from the finest on; each level halves height and width, except the last. */
	readonly channels: readonly number[];
	/** Residual blocks of a level of the encoder; the decoder has one more. */
	readonly layersPerBlock: number;
	readonly normGroups: number;
	/** Latents are the encoder's mean times this. */
	readonly scalingFactor: number;
	/** Whether 1x1 convolutions stand after the encoder and before the decoder. */
	readonly quantConvolution: boolean;
	readonly postQuantConvolution: boolean;
}

/** Reads the autoencoder's config.json. Throws code "checkpoint" where a value is missing or asks for what this engine does not have. */
export function readAutoencoderConfig(config: ConfigReader): AutoencoderConfig {
	const channels = config.integers("block_out_channels", { min: 4 });
	const normGroups = config.integer("norm_num_groups", { fallback: 32, min: 1 });
	if (channels.length === 0 || channels.some((count) => count % normGroups !== 0)) {
		throw config.error("block_out_channels", `must be multiples of norm_num_groups ${normGroups}`);
	}
	config.string("act_fn", { fallback: "silu", allowed: ["silu"] });
	for (const [key, type] of [
		["down_block_types", "DownEncoderBlock2D"],
		["up_block_types", "UpDecoderBlock2D"],
	] as const) {
		const types = config.strings(key, { fallback: channels.map(() => type), length: channels.length });
		if (types.some((found) => found !== type)) throw config.error(key, `must be ${type} throughout`);
	}
	for (const key of ["latents_mean", "latents_std", "shift_factor"]) {
		if (config.has(key)) throw config.error(key, "must be null: shifted latents are not supported");
	}
	if (!config.boolean("mid_block_add_attention", true)) throw config.error("mid_block_add_attention", "must be true");
	return {
		inChannels: config.integer("in_channels", { fallback: 3, min: 1 }),
		outChannels: config.integer("out_channels", { fallback: 3, min: 1 }),
		latentChannels: config.integer("latent_channels", { fallback: 4, min: 1 }),
		channels,
		layersPerBlock: config.integer("layers_per_block", { fallback: 1, min: 1, max: 16 }),
		normGroups,
		scalingFactor: config.number("scaling_factor", { fallback: 0.18215, min: 1e-6 }),
		quantConvolution: config.boolean("use_quant_conv", true),
		postQuantConvolution: config.boolean("use_post_quant_conv", true),
	};
}

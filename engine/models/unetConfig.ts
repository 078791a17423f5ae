// upstream: SyncHuman/models/OneStage/SyncHuman_2D3DCrossSpaceDiffusion.py, the UNet half's config.json (IGL-HKUST/SyncHuman 1b540b7)

import type { ConfigReader } from "../../weights/configReader.ts";

/** One resolution of the UNet. */
export interface UnetLevel {
	readonly channels: number;
	readonly heads: number;
	/** Whether its blocks of the way down and of the way up have transformers. */
	readonly attention: { readonly down: boolean; readonly up: boolean };
}

/** The multi-view UNet (SD 2.1-unCLIP with attention between views); levels from the finest on. */
export interface UnetConfig {
	readonly levels: readonly UnetLevel[];
	/** Resnets of a block on the way down; one more on the way up. */
	readonly layersPerBlock: number;
	readonly transformerLayers: number;
	/** Latent and image channels together. */
	readonly inChannels: number;
	readonly outChannels: number;
	readonly normGroups: number;
	readonly normEps: number;
	readonly crossAttentionChannels: number;
	readonly classLabelChannels: number;
	/** Width of the sinusoid of the timestep. */
	readonly timeSinusoidChannels: number;
	readonly timeChannels: number;
}

/** Values that are the same in every released config of the UNet; others would need code that does not exist. */
const fixed: FixedValues = Object.freeze({
	center_input_sample: false,
	addition_downsample: false,
	cd_attention_mid: false,
	cd_attention_last: false,
	multiview_attention: true,
	mvcd_attention: true,
	use_linear_projection: true,
	flip_sin_to_cos: true,
	freq_shift: 0,
	class_embed_type: "projection",
	selfattn_block: "self_rowwise",
	act_fn: "silu",
	resnet_time_scale_shift: "default",
});

/** Config keys with the one value that this engine has code for. */
export type FixedValues = Readonly<Record<string, boolean | number | string>>;

/** Throws code "checkpoint" where a config has another value than the one that is supported; an absent key has it. */
export function requireFixed(config: ConfigReader, values: FixedValues): void {
	for (const [key, value] of Object.entries(values)) {
		const found =
			typeof value === "boolean"
				? config.boolean(key, value)
				: typeof value === "number"
					? config.number(key, { fallback: value })
					: config.string(key, { fallback: value });
		if (found !== value) throw config.error(key, `must be ${value}, got ${found}`);
	}
}

/**
 * The UNet's part of a config.json, which SyncHuman and PSHuman write alike. Throws code "checkpoint" where a value is missing or asks for
 * what this engine does not have.
 */
export function readUnetConfig(config: ConfigReader): UnetConfig {
	requireFixed(config, fixed);
	const channels = config.integers("block_out_channels", { min: 4 });
	const length = channels.length;
	const heads = config.integers("attention_head_dim", { length, min: 1 });
	const blocksOf = (key: string, plain: string, attending: string) =>
		config.strings(key, { length }).map((type) => {
			if (type !== plain && type !== attending) throw config.error(key, `must be ${plain} or ${attending}, got ${type}`);
			return type === attending;
		});
	const down = blocksOf("down_block_types", "DownBlock2D", "CrossAttnDownBlockMV2D");
	const up = blocksOf("up_block_types", "UpBlock2D", "CrossAttnUpBlockMV2D").reverse();
	config.string("mid_block_type", { fallback: "UNetMidBlockMV2DCrossAttn", allowed: ["UNetMidBlockMV2DCrossAttn"] });
	const levels = channels.map((count, i) => {
		if (count % heads[i] !== 0) throw config.error("attention_head_dim", `${heads[i]} heads must divide ${count} channels`);
		return { channels: count, heads: heads[i], attention: { down: down[i], up: up[i] } };
	});
	const normGroups = config.integer("norm_num_groups", { min: 1 });
	if (channels.some((count) => count % normGroups !== 0))
		throw config.error("norm_num_groups", `${normGroups} must divide block_out_channels`);
	return {
		levels,
		layersPerBlock: config.integer("layers_per_block", { min: 1, max: 16 }),
		transformerLayers: config.integer("transformer_layers_per_block", { fallback: 1, min: 1, max: 16 }),
		inChannels: config.integer("in_channels", { min: 1 }),
		outChannels: config.integer("out_channels", { min: 1 }),
		normGroups,
		normEps: config.number("norm_eps", { fallback: 1e-5, min: 0 }),
		crossAttentionChannels: config.integer("cross_attention_dim", { min: 1 }),
		classLabelChannels: config.integer("projection_class_embeddings_input_dim", { min: 2 }),
		timeSinusoidChannels: channels[0],
		timeChannels: 4 * channels[0],
	};
}

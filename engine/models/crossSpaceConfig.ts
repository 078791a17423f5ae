// upstream: SyncHuman/models/OneStage/SyncHuman_2D3DCrossSpaceDiffusion.py, its config.json (IGL-HKUST/SyncHuman 1b540b7)

import type { ConfigReader } from "../../weights/configReader.ts";
import type { DualCrossAttentionConfig } from "../layers/dualCrossAttention.ts";
import type { ModulatedTransformerBlockConfig } from "../layers/modulatedTransformerBlock.ts";
import { type FixedValues, readUnetConfig, requireFixed, type UnetConfig } from "./unetConfig.ts";

/** The structure network: TRELLIS' sparse-structure flow transformer. */
export interface StructureConfig {
	readonly resolution: number;
	readonly inChannels: number;
	readonly outChannels: number;
	readonly blocks: number;
	readonly block: ModulatedTransformerBlockConfig;
}

/** SyncHuman_2D3DCrossSpaceDiffusion. */
export interface CrossSpaceConfig {
	/** Height and width of a latent. */
	readonly latentSize: number;
	/** Channels of a latent; the other input channels are the image's. */
	readonly latentChannels: number;
	readonly unet: UnetConfig;
	readonly structure: StructureConfig;
	/** Blocks of the structure network before the middle of the UNet begins, and before its way up begins. */
	readonly blockSplits: readonly [number, number];
	readonly synchronisation: {
		/** Structure from images: at 24 pixels, on the way down and on the way up. */
		readonly structure: readonly [DualCrossAttentionConfig, DualCrossAttentionConfig];
		/** Images from structure: at 12 pixels, before and after the middle. */
		readonly images: readonly [DualCrossAttentionConfig, DualCrossAttentionConfig];
	};
}

/** Values that are the same in every released config, beside the UNet's; others would need code that does not exist. */
const fixed: FixedValues = Object.freeze({
	num_views: 5,
	patch_size: 1,
	num_dual_CrossAttblocks: 2,
	share_mod: false,
	qk_rms_norm_cross: false,
	pe_mode: "ape",
});

/**
 * Reads the network's config.json. `engine` is engine.json, whose optional `dual_cross_attention` has what the official constructor
 * hard-codes (SS_query_dim_MV, MV_query_dim_MV, query_dim_Structure, heads, dim_head), and whose `structure_block_splits` replaces its 8
 * and 16. Throws code "checkpoint" where a value is missing or asks for what this engine does not have.
 */
export function readCrossSpaceConfig(config: ConfigReader, engine: ConfigReader): CrossSpaceConfig {
	requireFixed(config, fixed);
	const unet = readUnetConfig(config);
	const channels = config.integer("model_channels", { min: 8 });
	const structure: StructureConfig = {
		resolution: config.integer("resolution", { min: 2, max: 128 }),
		inChannels: config.integer("trellis_in_channels", { min: 1 }),
		outChannels: config.integer("trellis_out_channels", { min: 1 }),
		blocks: config.integer("num_blocks", { min: 1, max: 256 }),
		block: {
			channels,
			contextChannels: config.integer("cond_channels", { min: 1 }),
			heads: config.has("num_heads") ? config.integer("num_heads", { min: 1 }) : channels / config.integer("num_head_channels", { min: 1 }),
			mlpRatio: config.number("mlp_ratio", { fallback: 4, min: 0.25, max: 64 }),
			qkRmsNorm: config.boolean("qk_rms_norm", false),
		},
	};
	const latentChannels = config.integer("out_channels", { min: 1 });
	if (structure.inChannels !== structure.outChannels)
		throw config.error("trellis_out_channels", `must be ${structure.inChannels} as trellis_in_channels`);
	if (channels % structure.block.heads !== 0) throw config.error("num_heads", `must divide model_channels ${channels}`);
	return {
		latentSize: config.integer("sample_size", { min: 8 }),
		latentChannels,
		unet,
		structure,
		blockSplits: readBlockSplits(engine, structure.blocks),
		synchronisation: readSynchronisation(engine),
	};
}

/** 8 and 16, numbers in upstream's code, or `structure_block_splits` of engine.json. */
function readBlockSplits(engine: ConfigReader, blocks: number): readonly [number, number] {
	const [first, second] = engine.integers("structure_block_splits", { fallback: [8, 16], length: 2, min: 1, max: blocks });
	if (second < first) throw engine.error("structure_block_splits", "must rise");
	return [first, second];
}

/** Sizes of the official constructor, or of engine.json. */
function readSynchronisation(engine: ConfigReader): CrossSpaceConfig["synchronisation"] {
	const sizes = engine.has("dual_cross_attention") ? engine.object("dual_cross_attention") : undefined;
	const size = (key: string, official: number) => sizes?.integer(key, { fallback: official, min: 4 }) ?? official;
	const [first, second] = sizes?.integers("SS_query_dim_MV", { fallback: [640, 1280], length: 2, min: 4 }) ?? [640, 1280];
	const inner = {
		structureChannels: size("query_dim_Structure", 1024),
		heads: sizes?.integer("heads", { fallback: 16, min: 1 }) ?? 16,
		headSize: size("dim_head", 64),
	};
	const images = { ...inner, imageChannels: size("MV_query_dim_MV", 1280) };
	return {
		structure: [
			{ ...inner, imageChannels: first },
			{ ...inner, imageChannels: second },
		],
		images: [images, images],
	};
}

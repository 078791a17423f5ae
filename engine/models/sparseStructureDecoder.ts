// upstream: SyncHuman/models/OneStage/sparse_structure_vae.py, SparseStructureDecoder (IGL-HKUST/SyncHuman 1b540b7)

import type { ConfigReader } from "../../weights/configReader.ts";
import type { Weights } from "../../weights/weights.ts";
import { type DType, describe, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { convolution } from "../kernels/dense/convolution.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { pixelShuffle3d } from "../kernels/dense/patchify.ts";
import { type Affine, declareAffine, declareConvolution, type Linear } from "../layers/linear.ts";

const kernel = [3, 3, 3];
const eps = 1e-5;

/** Sizes of the decoder. */
export interface SparseStructureDecoderConfig {
	readonly latentChannels: number;
	readonly outChannels: number;
	/** Of each level, from the coarsest on; every level after the first doubles the resolution. */
	readonly channels: readonly number[];
	readonly resBlocks: number;
	readonly resBlocksMiddle: number;
}

/** Reads `args` of the decoder's config.json. Throws code "checkpoint" where a value is missing or asks for what does not exist here. */
export function readSparseStructureDecoderConfig(args: ConfigReader): SparseStructureDecoderConfig {
	args.string("norm_type", { fallback: "layer", allowed: ["layer"] });
	const channels = args.integers("channels", { min: 1 });
	if (channels.length === 0 || channels.length > 6) throw args.error("channels", "must have 1 to 6 levels");
	return {
		latentChannels: args.integer("latent_channels", { min: 1 }),
		outChannels: args.integer("out_channels", { min: 1 }),
		channels,
		resBlocks: args.integer("num_res_blocks", { max: 16 }),
		resBlocksMiddle: args.integer("num_res_blocks_middle", { fallback: 2, max: 16 }),
	};
}

interface ResidualBlock {
	readonly norm1: Affine;
	readonly conv1: Linear;
	readonly norm2: Affine;
	readonly conv2: Linear;
}

interface Level {
	readonly blocks: readonly ResidualBlock[];
	/** From this level to the next: 8 times its channels, which pixel shuffle spreads over eight voxels. */
	readonly upsample: Linear | undefined;
}

/** The decoder from a latent volume to occupancy logits. */
export interface SparseStructureDecoder {
	readonly config: SparseStructureDecoderConfig;
	readonly dtype: DType;
	readonly inputLayer: Linear;
	readonly middle: readonly ResidualBlock[];
	readonly levels: readonly Level[];
	readonly outNorm: Affine;
	readonly outLayer: Linear;
}

/** Declares the whole checkpoint. `dtype` is that of the blocks' weights and activations; latents and logits are f32. */
export function declareSparseStructureDecoder(
	weights: Weights,
	config: SparseStructureDecoderConfig,
	dtype: DType,
): SparseStructureDecoder {
	const { channels, resBlocks } = config;
	const convolutionAt = (at: Weights, columns: number, from: number) => declareConvolution(at, columns, from, kernel, dtype);
	const block = (at: Weights, count: number): ResidualBlock => ({
		norm1: declareAffine(at.at("norm1"), count),
		conv1: convolutionAt(at.at("conv1"), count, count),
		norm2: declareAffine(at.at("norm2"), count),
		conv2: convolutionAt(at.at("conv2"), count, count),
	});
	const blocks = weights.at("blocks");
	const last = channels[channels.length - 1];
	return {
		config,
		dtype,
		inputLayer: convolutionAt(weights.at("input_layer"), channels[0], config.latentChannels),
		middle: Array.from({ length: config.resBlocksMiddle }, (_, i) => block(weights.at("middle_block").at(i), channels[0])),
		levels: channels.map((count, level) => {
			const first = level * (resBlocks + 1);
			const next = channels[level + 1];
			return {
				blocks: Array.from({ length: resBlocks }, (_, i) => block(blocks.at(first + i), count)),
				upsample: next === undefined ? undefined : convolutionAt(blocks.at(first + resBlocks).at("conv"), 8 * next, count),
			};
		}),
		outNorm: declareAffine(weights.at("out_layer").at(0), last),
		outLayer: convolutionAt(weights.at("out_layer").at(2), config.outChannels, last),
	};
}

/**
 * Occupancy logits f32 [batch, r, r, r, outChannels] of latents f32 [batch, x, y, z, latentChannels], r = x * 2^(levels - 1). Throws where
 * the latents do not fit.
 */
export function recordSparseStructureDecoder(graph: Graph, decoder: SparseStructureDecoder, latents: Tensor): Tensor {
	const { config, dtype } = decoder;
	if (latents.shape.length !== 5 || latents.shape[4] !== config.latentChannels) {
		throw new Error(
			`${graph.path}/structure decoder: latents must be [batch, x, y, z, ${config.latentChannels}], got ${describe(latents)}`,
		);
	}
	let hidden = convolution(graph, { x: latents, ...decoder.inputLayer, padding: 1, outputDtype: dtype, label: "input_layer" });
	graph.tap("input_layer", hidden);
	decoder.middle.forEach((block, i) => {
		hidden = graph.scope(`middle_block.${i}`, () => recordResidualBlock(graph, block, hidden));
	});
	graph.tap("middle_block", hidden);
	decoder.levels.forEach(({ blocks, upsample }, level) => {
		const first = level * (config.resBlocks + 1);
		blocks.forEach((block, i) => {
			hidden = graph.scope(`blocks.${first + i}`, () => graph.tap("", recordResidualBlock(graph, block, hidden)));
		});
		if (upsample === undefined) return;
		hidden = graph.scope(`blocks.${first + config.resBlocks}`, () =>
			graph.tap("", pixelShuffle3d(graph, convolution(graph, { x: hidden, ...upsample, padding: 1, label: "conv" }))),
		);
	});
	return graph.scope("out_layer", () => {
		const normed = layerNorm(graph, { x: hidden, affine: decoder.outNorm, eps, silu: true });
		return convolution(graph, { x: normed, ...decoder.outLayer, padding: 1, outputDtype: "f32" });
	});
}

function recordResidualBlock(graph: Graph, block: ResidualBlock, x: Tensor): Tensor {
	const first = layerNorm(graph, { x, affine: block.norm1, eps, silu: true, label: "norm1" });
	const hidden = convolution(graph, { x: first, ...block.conv1, padding: 1, label: "conv1" });
	const second = layerNorm(graph, { x: hidden, affine: block.norm2, eps, silu: true, label: "norm2" });
	return convolution(graph, { x: second, ...block.conv2, padding: 1, residual: x, label: "conv2" });
}

/**
 * Rows (batch, x, y, z) of the positive logits of [batch, r, r, r], in lexicographic order; Int32Array [n * 4]. torch:
 * torch.argwhere(logits > 0)[:, [0, 2, 3, 4]].
 */
export function occupiedVoxels(logits: ArrayLike<number>, resolution: number): Int32Array<ArrayBuffer> {
	const rows: number[] = [];
	for (let i = 0; i < logits.length; i++) {
		if (!(logits[i] > 0)) continue;
		const x = Math.floor(i / resolution ** 2);
		rows.push(Math.floor(x / resolution), x % resolution, Math.floor(i / resolution) % resolution, i % resolution);
	}
	return Int32Array.from(rows);
}

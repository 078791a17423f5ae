// upstream: SyncHuman/models/OneStage/SyncHuman_2D3DCrossSpaceDiffusion.py and unet_mv2d_blocks.py, the UNet half (IGL-HKUST/SyncHuman
// 1b540b7), on diffusers 0.29.1

import type { Weights } from "../../weights/weights.ts";
import type { DType, Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { convolution } from "../kernels/dense/convolution.ts";
import { copyColumns } from "../kernels/dense/copyColumns.ts";
import { groupNorm } from "../kernels/dense/groupNorm.ts";
import { type Affine, declareAffine, declareConvolution, declareLinear, type Linear } from "../layers/linear.ts";
import type { MultiviewLayout } from "../layers/multiviewLayout.ts";
import {
	declareMultiviewTransformer,
	type MultiviewTransformer,
	type PromptKeysValues,
	recordMultiviewTransformer,
} from "../layers/multiviewTransformerBlock.ts";
import {
	declareResampler,
	declareResnetBlock,
	type ResnetBlock,
	recordDownsampler,
	recordResnetBlock,
	recordUpsampler,
} from "../layers/resnetBlock.ts";
import type { UnetConfig } from "./unetConfig.ts";

/** A residual block and, behind it, perhaps a transformer. */
export interface UnetLayer {
	readonly resnet: ResnetBlock;
	/** Where its columns of the time projections begin. */
	readonly timeColumn: number;
	readonly transformer: MultiviewTransformer | undefined;
	/** Place of the transformer among all of the network. */
	readonly transformerIndex: number;
}

/** A block of the way down, the middle or the way up. */
export interface UnetBlock {
	/** Its path in the checkpoint. */
	readonly name: string;
	readonly layers: readonly UnetLayer[];
	/** To the next coarser or finer level. */
	readonly resampler: Linear | undefined;
}

/** Two linear layers with SiLU between. */
export type EmbeddingLayers = readonly [Linear, Linear];

/** The UNet's weights. */
export interface MultiviewUnet {
	readonly config: UnetConfig;
	readonly dtype: DType;
	/** f32, like everything at the door. */
	readonly convIn: Linear;
	readonly convNormOut: Affine;
	readonly convOut: Linear;
	readonly timeEmbedding: EmbeddingLayers;
	readonly classEmbedding: EmbeddingLayers;
	readonly down: readonly UnetBlock[];
	readonly middle: UnetBlock;
	readonly up: readonly UnetBlock[];
	/** In the order of `transformerIndex`. */
	readonly transformers: readonly MultiviewTransformer[];
	/** Columns of the time projections of all residual blocks. */
	readonly timeWidth: number;
}

/** Declares the UNet at the root of the checkpoint. */
export function declareMultiviewUnet(weights: Weights, config: UnetConfig, dtype: DType): MultiviewUnet {
	const { levels, layersPerBlock, timeChannels } = config;
	const transformers: MultiviewTransformer[] = [];
	let timeWidth = 0;
	const layer = (at: Weights, index: number, inChannels: number, level: (typeof levels)[number], attending: boolean): UnetLayer => {
		const { channels, heads } = level;
		const sizes = { inChannels, outChannels: channels, groups: config.normGroups, eps: config.normEps, timeChannels };
		const resnet = declareResnetBlock(at.at("resnets").at(index), sizes, dtype);
		const timeColumn = timeWidth;
		timeWidth += channels;
		if (!attending) return { resnet, timeColumn, transformer: undefined, transformerIndex: -1 };
		const transformer = declareMultiviewTransformer(
			at.at("attentions").at(index),
			{
				channels,
				heads,
				crossAttentionChannels: config.crossAttentionChannels,
				normGroups: config.normGroups,
				layers: config.transformerLayers,
			},
			dtype,
		);
		return { resnet, timeColumn, transformer, transformerIndex: transformers.push(transformer) - 1 };
	};
	const embedding = (at: Weights, channels: number): EmbeddingLayers => [
		declareLinear(at.at("linear_1"), timeChannels, channels, dtype),
		declareLinear(at.at("linear_2"), timeChannels, timeChannels, dtype),
	];

	let channels = levels[0].channels;
	const skips = [channels];
	const down = levels.map((level, i): UnetBlock => {
		const at = weights.at("down_blocks").at(i);
		const layers = Array.from({ length: layersPerBlock }, (_, j) => {
			const made = layer(at, j, channels, level, level.attention.down);
			channels = level.channels;
			skips.push(channels);
			return made;
		});
		const last = i === levels.length - 1;
		if (!last) skips.push(channels);
		return { name: at.path, layers, resampler: last ? undefined : declareResampler(at.at("downsamplers").at(0), channels, dtype) };
	});
	const coarsest = levels[levels.length - 1];
	const mid = weights.at("mid_block");
	const middle = {
		name: mid.path,
		layers: [layer(mid, 0, channels, coarsest, true), layer(mid, 1, channels, coarsest, false)],
		resampler: undefined,
	};
	const up = [...levels].reverse().map((level, i): UnetBlock => {
		const at = weights.at("up_blocks").at(i);
		const layers = Array.from({ length: layersPerBlock + 1 }, (_, j) => {
			const made = layer(at, j, channels + (skips.pop() ?? 0), level, level.attention.up);
			channels = level.channels;
			return made;
		});
		const last = i === levels.length - 1;
		return { name: at.path, layers, resampler: last ? undefined : declareResampler(at.at("upsamplers").at(0), channels, dtype) };
	});
	return {
		config,
		dtype,
		convIn: declareConvolution(weights.at("conv_in"), levels[0].channels, config.inChannels, [3, 3], "f32"),
		convNormOut: declareAffine(weights.at("conv_norm_out"), levels[0].channels),
		convOut: declareConvolution(weights.at("conv_out"), config.outChannels, levels[0].channels, [3, 3], "f32"),
		timeEmbedding: embedding(weights.at("time_embedding"), config.timeSinusoidChannels),
		classEmbedding: embedding(weights.at("class_embedding"), config.classLabelChannels),
		down,
		middle,
		up,
		transformers,
		timeWidth,
	};
}

/** One forward pass. */
export interface UnetStep {
	/** f32 [images, size, size, inChannels] in the order of the layout. */
	readonly sample: Tensor;
	readonly layout: MultiviewLayout;
	/** f32 [images, timeWidth]: what the residual blocks add for the time and class of each image. */
	readonly times: Tensor;
	/** In the order of `transformerIndex`. */
	readonly prompts: readonly PromptKeysValues[];
	/**
	 * Called with what comes out of a block of the way down (behind its downsampler, already kept for the way up) and with what goes into
	 * one of the way up; the result takes its place.
	 */
	readonly afterDown?: (index: number, x: Tensor) => Tensor;
	readonly beforeUp?: (index: number, x: Tensor) => Tensor;
}

/** Records the network; returns the velocity, f32 [images, size, size, outChannels]. */
export function recordMultiviewUnet(graph: Graph, unet: MultiviewUnet, step: UnetStep): Tensor {
	const { sample, afterDown, beforeUp } = step;
	const convIn = { x: sample, ...unet.convIn, padding: 1, outputDtype: unet.dtype, label: "conv_in" };
	let x = graph.tap("conv_in", convolution(graph, convIn));
	const skips = [x];
	unet.down.forEach((block, i) => {
		graph.scope(block.name, () => {
			block.layers.forEach((layer, j) => {
				x = recordTransformer(graph, layer, j, recordResnet(graph, layer, j, x, step), step);
				skips.push(x);
			});
			const { resampler } = block;
			if (resampler !== undefined) {
				x = graph.scope("downsamplers.0", () => recordDownsampler(graph, resampler, x, "around"));
				skips.push(x);
			}
			graph.tap("", x);
		});
		x = afterDown?.(i, x) ?? x;
	});
	graph.scope(unet.middle.name, () => {
		unet.middle.layers.forEach((layer, j) => {
			x = recordTransformer(graph, layer, j, recordResnet(graph, layer, j, x, step), step);
		});
		graph.tap("", x);
	});
	unet.up.forEach((block, i) => {
		x = beforeUp?.(i, x) ?? x;
		x = graph.scope(block.name, () => graph.tap("", recordUpBlock(graph, block, x, skips, step)));
	});
	const { normGroups: groups, normEps: eps } = unet.config;
	const norm = { x, groups, eps, affine: unet.convNormOut, outputDtype: "f32" } as const;
	if (graph.isTapped("conv_norm_out")) graph.tap("conv_norm_out", groupNorm(graph, { ...norm, label: "conv_norm_out alone" }));
	const normed = groupNorm(graph, { ...norm, silu: true, label: "conv_norm_out" });
	return convolution(graph, { x: normed, ...unet.convOut, padding: 1, label: "conv_out" });
}

function recordResnet(graph: Graph, layer: UnetLayer, index: number, x: Tensor, { times }: UnetStep): Tensor {
	return graph.scope(`resnets.${index}`, () =>
		recordResnetBlock(graph, layer.resnet, x, { tensor: times, column: layer.timeColumn, images: 1 }),
	);
}

/** The layer's transformer, or x where it has none; `into` takes the result in its first columns. */
function recordTransformer(graph: Graph, layer: UnetLayer, index: number, x: Tensor, step: UnetStep, into?: Tensor): Tensor {
	const { transformer } = layer;
	if (transformer === undefined) return into === undefined ? x : copyColumns(graph, { x, into: { tensor: into } });
	return graph.scope(`attentions.${index}`, () => {
		const inputs = { x, layout: step.layout, prompt: step.prompts[layer.transformerIndex], ...(into && { into: { tensor: into } }) };
		const y = recordMultiviewTransformer(graph, transformer, inputs);
		if (into === undefined) graph.tap("", y);
		else if (graph.isTapped("")) graph.tap("", firstColumns(graph, y, x.shape));
		return y;
	});
}

function firstColumns(graph: Graph, x: Tensor, shape: readonly number[]): Tensor {
	return copyColumns(graph, {
		x,
		columns: shape.at(-1) ?? 0,
		into: { tensor: graph.tensor("columns", x.dtype, shape) },
		label: "tapped columns",
	});
}

/** torch.cat([x, skip], channels) before every layer: what comes before writes into the joined tensor where it can. */
function recordUpBlock(graph: Graph, block: UnetBlock, input: Tensor, skips: Tensor[], step: UnetStep): Tensor {
	const join = (before: Tensor): Tensor => {
		const skip = skips.pop();
		if (skip === undefined) throw new Error(`${graph.path}: no skip is left`);
		const channels = before.shape[3];
		const joined = graph.tensor("joined", before.dtype, [...skip.shape.slice(0, 3), channels + skip.shape[3]]);
		return copyColumns(graph, { x: skip, into: { tensor: joined, column: channels }, label: "skip" });
	};
	let joined = join(input);
	copyColumns(graph, { x: input, into: { tensor: joined }, label: "before skip" });
	let x = input;
	block.layers.forEach((layer, j) => {
		x = recordResnet(graph, layer, j, joined, step);
		if (j < block.layers.length - 1) {
			joined = join(x);
			recordTransformer(graph, layer, j, x, step, joined);
		} else {
			x = recordTransformer(graph, layer, j, x, step);
		}
	});
	const { resampler } = block;
	return resampler === undefined ? x : graph.scope("upsamplers.0", () => recordUpsampler(graph, resampler, x));
}

import type { Weights } from "../../weights/weights.ts";
import type { DType, Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { convolution } from "../kernels/dense/convolution.ts";
import { groupNorm } from "../kernels/dense/groupNorm.ts";
import { type WinogradConvolutionRequest, winogradConvolution, winogradTile } from "../kernels/dense/winogradConvolution.ts";
import { type Affine, declareAffine, declareConvolution, declareLinear, type Linear } from "./linear.ts";

// Upstream: ResnetBlock2D, Downsample2D and Upsample2D of diffusers 0.29.1, in the UNet (with a time embedding) and the autoencoder.

/** Sizes of a residual block. */
export interface ResnetBlockConfig {
	readonly inChannels: number;
	readonly outChannels: number;
	/** Groups of both norms; a divisor of both channel counts. */
	readonly groups: number;
	readonly eps: number;
	/** Width of the time embedding; left out where the block has none. */
	readonly timeChannels?: number | undefined;
}

/** The weights of a residual block. */
export interface ResnetBlock {
	readonly config: ResnetBlockConfig;
	readonly norm1: Affine;
	readonly conv1: Linear;
	readonly timeProjection: Linear | undefined;
	readonly norm2: Affine;
	readonly conv2: Linear;
	/** 1x1, where the channels change. */
	readonly shortcut: Linear | undefined;
}

/** Declares `norm1`, `conv1`, `time_emb_proj`, `norm2`, `conv2`, `conv_shortcut`. */
export function declareResnetBlock(weights: Weights, config: ResnetBlockConfig, dtype: DType): ResnetBlock {
	const { inChannels, outChannels, timeChannels } = config;
	return {
		config,
		norm1: declareAffine(weights.at("norm1"), inChannels),
		conv1: declareConvolution(weights.at("conv1"), outChannels, inChannels, [3, 3], dtype),
		timeProjection: timeChannels === undefined ? undefined : declareLinear(weights.at("time_emb_proj"), outChannels, timeChannels, dtype),
		norm2: declareAffine(weights.at("norm2"), outChannels),
		conv2: declareConvolution(weights.at("conv2"), outChannels, outChannels, [3, 3], dtype),
		shortcut:
			inChannels === outChannels ? undefined : declareConvolution(weights.at("conv_shortcut"), outChannels, inChannels, [1, 1], dtype),
	};
}

/** What the time embedding adds to the channels of consecutive images. */
export interface TimeBias {
	/** f32 [rows, width]. */
	readonly tensor: Tensor;
	/** First of the block's columns; default 0. */
	readonly column?: number;
	/** Images that share a row. */
	readonly images: number;
}

/**
 * shortcut(x) + conv2(SiLU(norm2(conv1(SiLU(norm1(x))) + time))). x is [images, height, width, inChannels]; returns outChannels, in the
 * weights' type. Throws where a block with a time projection gets no `time`, or one without gets some.
 */
export function recordResnetBlock(graph: Graph, block: ResnetBlock, x: Tensor, time?: TimeBias): Tensor {
	const { groups, eps } = block.config;
	if ((time === undefined) !== (block.timeProjection === undefined))
		throw new Error(`${graph.path}: time embedding and weights go together`);
	const outputDtype = block.conv1.weight.dtype;
	const [, height, width] = x.shape;
	const rowBias = time && {
		tensor: time.tensor,
		rows: time.images * height * width,
		...(time.column !== undefined && { column: time.column }),
	};
	const norm = (affine: Affine) => ({ affine, groups, eps, silu: true });
	const hidden = recordNormedConvolution(graph, { x, norm: norm(block.norm1), ...block.conv1, rowBias }, ["norm1", "conv1"]);
	const residual = block.shortcut
		? graph.tap("conv_shortcut", convolution(graph, { x, ...block.shortcut, outputDtype, label: "conv_shortcut" }))
		: x;
	const second = { x: hidden, norm: norm(block.norm2), ...block.conv2, residual };
	return graph.tap("", recordNormedConvolution(graph, second, ["norm2", "conv2"]));
}

/** A group norm with SiLU, then a 3x3 convolution, in the weight's type. */
function recordNormedConvolution(
	graph: Graph,
	request: WinogradConvolutionRequest & { readonly norm: NonNullable<WinogradConvolutionRequest["norm"]> },
	[normLabel, label]: readonly [string, string],
): Tensor {
	const { x, norm, ...rest } = request;
	if (winogradTile(graph, x, rest.weight)) return winogradConvolution(graph, { ...request, label });
	const normed = groupNorm(graph, { x, ...norm, outputDtype: rest.weight.dtype, label: normLabel });
	return convolution(graph, { ...rest, x: normed, padding: 1, label });
}

/** Declares the 3x3 `conv` of a Downsample2D or Upsample2D. */
export function declareResampler(weights: Weights, channels: number, dtype: DType): Linear {
	return declareConvolution(weights.at("conv"), channels, channels, [3, 3], dtype);
}

/**
 * Halves height and width by a stride-2 convolution. Zeros stand on all sides in the UNet; "after": only right and below, in the
 * autoencoder.
 */
export function recordDownsampler(graph: Graph, conv: Linear, x: Tensor, padding: "around" | "after"): Tensor {
	const sides =
		padding === "around"
			? 1
			: ([
					[0, 1],
					[0, 1],
				] as const);
	return graph.tap("", convolution(graph, { x, ...conv, stride: 2, padding: sides, label: "downsample" }));
}

/** Doubles height and width, nearest, then convolves. */
export function recordUpsampler(graph: Graph, conv: Linear, x: Tensor): Tensor {
	return graph.tap("", convolution(graph, { x, ...conv, upsample: 2, padding: 1, label: "upsample" }));
}

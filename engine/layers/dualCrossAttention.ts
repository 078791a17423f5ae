// upstream: SyncHuman/models/OneStage/attn_2D3D_sync.py (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import { type DType, describe, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { convolution } from "../kernels/dense/convolution.ts";
import { groupNorm } from "../kernels/dense/groupNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { adaptiveAveragePool } from "../kernels/dense/resample.ts";
import type { RowSegments } from "../kernels/dense/rowSegments.ts";
import {
	type Affine,
	declareAffine,
	declareConvolution,
	declareGatedLinear,
	declareLinear,
	declareStackedLinear,
	type Linear,
} from "./linear.ts";
import { domains, type MultiviewLayout } from "./multiviewLayout.ts";

// The two spaces of stage 1 read each other: structure tokens from images (structureFromImages.ts), images from structure tokens
// (imagesFromStructure.ts). Here is what both have in common.

/** Sizes of one dual cross attention; the official constructor has them as numbers. */
export interface DualCrossAttentionConfig {
	readonly imageChannels: number;
	readonly structureChannels: number;
	readonly heads: number;
	readonly headSize: number;
}

/** GEGLU: projection to value and gate, output. */
export interface FeedForward {
	readonly projection: Linear;
	readonly out: Linear;
}

/** GroupNorm, 3^n convolution, GELU, adaptive average pool. */
export interface Downsample {
	readonly norm: Affine;
	readonly convolution: Linear;
}

/** Queries of one space, keys and values side by side of the other. */
export interface CrossAttention {
	readonly q: Linear;
	readonly keyValue: Linear;
	readonly out: Linear;
}

/** Views that see a side of the body: front, right, back, left. */
export const sides = 4;
/** Of LayerNorm32. */
export const layerNormEps = 1e-6;
const groupNormEps = 1e-5;
/** nn.GroupNorm(32); fewer channels (only in tiny synthetic checkpoints, which upstream cannot build) are groups of one. */
const groupsOf = (channels: number) => Math.min(32, channels);

/** Declares a CrossAttention. */
export function declareAttention(
	weights: Weights,
	queryChannels: number,
	contextChannels: number,
	config: DualCrossAttentionConfig,
	dtype: DType,
): CrossAttention {
	const inner = config.heads * config.headSize;
	return {
		q: declareLinear(weights.at("to_q"), inner, queryChannels, dtype, { bias: false }),
		keyValue: declareStackedLinear(weights, ["to_k", "to_v"], inner, contextChannels, dtype, { bias: false }),
		out: declareLinear(weights.at("to_out").at(0), queryChannels, inner, dtype),
	};
}

/** Declares a FeedForward. */
export function declareFeedForward(weights: Weights, channels: number, dtype: DType): FeedForward {
	const net = weights.at("net");
	return {
		projection: declareGatedLinear(net.at(0).at("proj"), 8 * channels, channels, dtype),
		out: declareLinear(net.at(2), channels, 4 * channels, dtype),
	};
}

/** Declares a downsampling over 2 or 3 axes. */
export function declareDownsample(weights: Weights, channels: number, axes: number, dtype: DType): Downsample {
	const conv = weights.at("conv");
	return {
		norm: declareAffine(conv.at(0), channels),
		convolution: declareConvolution(conv.at(1), channels, channels, Array(axes).fill(3), dtype),
	};
}

/** What both directions read. */
export interface DualCrossAttentionInputs {
	/** [images, side, side, imageChannels] in the order of the layout. */
	readonly images: Tensor;
	/** [halves * resolution^3, structureChannels], tokens in (x, y, z) order. */
	readonly structure: Tensor;
	readonly layout: MultiviewLayout;
	/** Voxels along an edge of the structure. */
	readonly resolution: number;
}

/** [batch, ...extent, channels] at `side` along every axis. */
export function recordDownsample(graph: Graph, name: string, { norm, convolution: conv }: Downsample, x: Tensor, side: number): Tensor {
	return graph.scope(name, () => {
		const channels = x.shape.at(-1) ?? 0;
		const normed = groupNorm(graph, { x, groups: groupsOf(channels), eps: groupNormEps, affine: norm, label: "conv.0" });
		const y = convolution(graph, { x: normed, ...conv, padding: 1, activation: "gelu", label: "conv.1" });
		return graph.tap(
			"",
			adaptiveAveragePool(
				graph,
				y,
				x.shape.slice(1, -1).map(() => side),
			),
		);
	});
}

/** stream += linear(x) for the rows of `rows`; what is added exists by itself only where it is tapped. */
export function addInPlace(graph: Graph, name: string, stream: Tensor, x: Tensor, linear: Linear, rows?: RowSegments): void {
	if (graph.isTapped(name)) graph.tap(name, matmul(graph, { x, ...linear, label: `${name} alone` }));
	matmul(graph, { x, ...linear, into: { tensor: stream, accumulate: true, ...(rows && { rows }) }, label: name });
}

/** Throws where images and structure do not fit the sizes. */
export function checkInputs(
	graph: Graph,
	config: DualCrossAttentionConfig,
	{ images, structure, layout, resolution }: DualCrossAttentionInputs,
): void {
	const [count, height, width, channels] = images.shape;
	if (
		count !== layout.halves * layout.views * domains ||
		height !== width ||
		channels !== config.imageChannels ||
		layout.bodyViews !== sides
	) {
		throw new Error(
			`${graph.path}: images must be square, of ${sides} sides, with ${config.imageChannels} channels, got ${describe(images)}`,
		);
	}
	if (structure.shape[0] !== layout.halves * resolution ** 3 || structure.shape[1] !== config.structureChannels) {
		throw new Error(
			`${graph.path}: structure must be [${layout.halves * resolution ** 3},${config.structureChannels}], got ${describe(structure)}`,
		);
	}
}

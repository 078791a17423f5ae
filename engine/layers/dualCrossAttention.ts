// upstream: SyncHuman/models/OneStage/attn_2D3D_sync.py (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import { type DType, describe, reshape, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { attentionFewKeys } from "../kernels/dense/attentionFewKeys.ts";
import { convolution } from "../kernels/dense/convolution.ts";
import { copyColumns } from "../kernels/dense/copyColumns.ts";
import { groupNorm } from "../kernels/dense/groupNorm.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul, type RowSegments } from "../kernels/dense/matmul.ts";
import { adaptiveAveragePool } from "../kernels/dense/resample.ts";
import { imageColumns, voxelColumns } from "./dualCrossAttentionRows.ts";
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

/** Sizes of one dual cross attention; the official constructor has them as numbers. */
export interface DualCrossAttentionConfig {
	readonly imageChannels: number;
	readonly structureChannels: number;
	readonly heads: number;
	readonly headSize: number;
}

interface FeedForward {
	readonly projection: Linear;
	readonly out: Linear;
}

/** GroupNorm, 3^n convolution, GELU, adaptive average pool. */
interface Downsample {
	readonly norm: Affine;
	readonly convolution: Linear;
}

interface CrossAttention {
	readonly q: Linear;
	readonly keyValue: Linear;
	readonly out: Linear;
}

/** DualCrossAttentionSS: structure tokens read the images. */
export interface StructureFromImages {
	readonly config: DualCrossAttentionConfig;
	readonly imagesIn: Linear;
	readonly structureIn: Linear;
	readonly imageDownsample: Downsample;
	readonly norm1: Affine;
	readonly attention: CrossAttention;
	readonly norm2: Affine;
	readonly feedForward: FeedForward;
	readonly structureOut: Linear;
}

/** DualCrossAttentionMV: images read the structure; one set of weights for normals, one for colours. */
export interface ImagesFromStructure {
	readonly config: DualCrossAttentionConfig;
	readonly imagesIn: Linear;
	readonly structureIn: Linear;
	readonly voxelDownsample: Downsample;
	/** Normal, colour. */
	readonly domains: readonly { readonly attention: CrossAttention; readonly feedForward: FeedForward; readonly out: Linear }[];
}

/** Views that see a side of the body: front, right, back, left. */
const sides = 4;
const layerNormEps = 1e-6;
const groupNormEps = 1e-5;
/** nn.GroupNorm(32); fewer channels (only in tiny synthetic checkpoints, which upstream cannot build) are groups of one. */
const groupsOf = (channels: number) => Math.min(32, channels);

function declareAttention(
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

function declareFeedForward(weights: Weights, channels: number, dtype: DType): FeedForward {
	const net = weights.at("net");
	return {
		projection: declareGatedLinear(net.at(0).at("proj"), 8 * channels, channels, dtype),
		out: declareLinear(net.at(2), channels, 4 * channels, dtype),
	};
}

function declareDownsample(weights: Weights, channels: number, axes: number, dtype: DType): Downsample {
	const conv = weights.at("conv");
	return {
		norm: declareAffine(conv.at(0), channels),
		convolution: declareConvolution(conv.at(1), channels, channels, Array(axes).fill(3), dtype),
	};
}

/** Declares `dual_CrossAttblocks_SS.N`. "stucture" is how the checkpoint spells it. */
export function declareStructureFromImages(weights: Weights, config: DualCrossAttentionConfig, dtype: DType): StructureFromImages {
	const { imageChannels, structureChannels } = config;
	return {
		config,
		imagesIn: declareLinear(weights.at("input_layer_mv"), imageChannels, imageChannels, dtype),
		structureIn: declareLinear(weights.at("input_layer_stucture"), structureChannels, structureChannels, dtype),
		imageDownsample: declareDownsample(weights.at("imagedownsample"), imageChannels, 2, dtype),
		norm1: declareAffine(weights.at("normStructure1"), structureChannels),
		attention: declareAttention(weights.at("cross_attn_MV_to_Structure"), structureChannels, imageChannels, config, dtype),
		norm2: declareAffine(weights.at("normStructure2"), structureChannels),
		feedForward: declareFeedForward(weights.at("ffn_stucture"), structureChannels, dtype),
		structureOut: declareLinear(weights.at("output_layer_stucture"), structureChannels, structureChannels, dtype),
	};
}

/** Declares `dual_CrossAttblocks_MV.N`. */
export function declareImagesFromStructure(weights: Weights, config: DualCrossAttentionConfig, dtype: DType): ImagesFromStructure {
	const { imageChannels, structureChannels } = config;
	const domain = (attention: string, feedForward: string, out: string) => ({
		attention: declareAttention(weights.at(attention), imageChannels, structureChannels, config, dtype),
		feedForward: declareFeedForward(weights.at(feedForward), imageChannels, dtype),
		out: declareLinear(weights.at(out), imageChannels, imageChannels, dtype),
	});
	return {
		config,
		imagesIn: declareLinear(weights.at("input_layer_mv"), imageChannels, imageChannels, dtype),
		structureIn: declareLinear(weights.at("input_layer_stucture"), structureChannels, structureChannels, dtype),
		voxelDownsample: declareDownsample(weights.at("voxeldownsample"), structureChannels, 3, dtype),
		domains: [
			domain("cross_attn_Structure_to_normal", "ffn_no", "output_layer_no"),
			domain("cross_attn_Structure_to_color", "ffn_clr", "output_layer_clr"),
		],
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

function recordDownsample(graph: Graph, name: string, { norm, convolution: conv }: Downsample, x: Tensor, side: number): Tensor {
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
function add(graph: Graph, name: string, stream: Tensor, x: Tensor, linear: Linear, rows?: RowSegments): void {
	if (graph.isTapped(name)) graph.tap(name, matmul(graph, { x, ...linear, label: `${name} alone` }));
	matmul(graph, { x, ...linear, into: { tensor: stream, accumulate: true, ...(rows && { rows }) }, label: name });
}

/**
 * Structure tokens that have read the images: every voxel looks at its four pixels in the normal maps of front, back, right and left.
 * Returns [halves * resolution^3, structureChannels].
 */
export function recordStructureFromImages(graph: Graph, block: StructureFromImages, inputs: DualCrossAttentionInputs): Tensor {
	const { images, structure, layout, resolution } = inputs;
	const { imageChannels, heads, headSize } = block.config;
	checkInputs(graph, block.config, inputs);
	const [, side] = images.shape;
	const area = side * side;
	// Departs from upstream in amount only: colours and the face are never looked at, so they are not computed.
	const seen = graph.tensor("input_layer_mv", images.dtype, [layout.halves * sides, side, side, imageChannels]);
	for (let half = 0; half < layout.halves; half++) {
		const xRows = { first: half * layout.views * domains * area, count: area, stride: domains * area, segments: sides };
		const rows = { first: half * sides * area, count: sides * area, stride: 0, segments: 1 };
		matmul(graph, { x: images, xRows, ...block.imagesIn, into: { tensor: seen, rows }, label: "input_layer_mv" });
	}
	const pooled = recordDownsample(graph, "imagedownsample", block.imageDownsample, seen, resolution);
	const keyValue = matmul(graph, { x: pooled, ...block.attention.keyValue, label: "to_k, to_v" });

	const stream = matmul(graph, { x: structure, ...block.structureIn, label: "input_layer_stucture" });
	if (graph.isTapped("input_layer_stucture")) {
		graph.tap("input_layer_stucture", matmul(graph, { x: structure, ...block.structureIn, label: "input_layer_stucture alone" }));
	}
	const normed = layerNorm(graph, { x: stream, eps: layerNormEps, affine: block.norm1, label: "normStructure1" });
	graph.tap("normStructure1", normed);
	const attended = attentionFewKeys(graph, {
		q: { tensor: matmul(graph, { x: normed, ...block.attention.q, label: "to_q" }) },
		k: { tensor: keyValue },
		v: { tensor: keyValue, column: heads * headSize },
		heads,
		headSize,
		sequences: layout.halves,
		keyRows: imageColumns(graph, resolution),
		keyRowsPerSequence: sides * resolution * resolution,
	});
	add(graph, "cross_attn_MV_to_Structure", stream, attended, block.attention.out);
	const normed2 = layerNorm(graph, { x: stream, eps: layerNormEps, affine: block.norm2, label: "normStructure2" });
	const hidden = matmul(graph, {
		x: normed2,
		...block.feedForward.projection,
		gated: true,
		activation: "gelu",
		label: "ffn_stucture.net.0",
	});
	add(graph, "ffn_stucture", stream, hidden, block.feedForward.out);
	const out = { x: stream, ...block.structureOut };
	if (graph.isTapped("output_layer_stucture"))
		graph.tap("output_layer_stucture", matmul(graph, { ...out, label: "output_layer_stucture alone" }));
	return graph.tap("", matmul(graph, { ...out, residual: structure, label: "output_layer_stucture" }));
}

/**
 * Images that have read the structure: every pixel of the four sides looks at the voxels behind it; the face stays as it is. Returns a new
 * [images, side, side, imageChannels]; the images given are not changed.
 */
export function recordImagesFromStructure(graph: Graph, block: ImagesFromStructure, inputs: DualCrossAttentionInputs): Tensor {
	const { images, structure, layout, resolution } = inputs;
	const { structureChannels, heads, headSize } = block.config;
	checkInputs(graph, block.config, inputs);
	const { halves, views } = layout;
	const [, side] = images.shape;
	const area = side * side;
	const inner = heads * headSize;
	const voxels = side ** 3;

	const fromTokens = matmul(graph, { x: structure, ...block.structureIn, label: "input_layer_stucture" });
	graph.tap("input_layer_stucture", fromTokens);
	const volume = reshape(fromTokens, [halves, resolution, resolution, resolution, structureChannels]);
	const pooled = recordDownsample(graph, "voxeldownsample", block.voxelDownsample, volume, side);
	const keyValue = graph.tensor("to_k, to_v", images.dtype, [halves, domains, voxels, 2 * inner]);
	block.domains.forEach(({ attention }, domain) => {
		const rows = { first: domain * voxels, count: voxels, stride: domains * voxels, segments: halves };
		matmul(graph, { x: pooled, ...attention.keyValue, into: { tensor: keyValue, rows }, label: "to_k, to_v" });
	});

	// The sides' images alone: [halves, sides, domains, area, imageChannels].
	const ofSides = { first: 0, count: sides * domains * area, stride: views * domains * area, segments: halves };
	const ofDomain = (domain: number): RowSegments => ({
		first: domain * area,
		count: area,
		stride: domains * area,
		segments: halves * sides,
	});
	const stream = matmul(graph, { x: images, xRows: ofSides, ...block.imagesIn, label: "input_layer_mv" });
	const normed = layerNorm(graph, { x: stream, eps: layerNormEps, label: "normMV1" });
	const q = graph.tensor("to_q", images.dtype, [halves * sides * domains * area, inner]);
	block.domains.forEach(({ attention }, domain) => {
		matmul(graph, { x: normed, xRows: ofDomain(domain), ...attention.q, into: { tensor: q, rows: ofDomain(domain) }, label: "to_q" });
	});
	const attended = attentionFewKeys(graph, {
		q: { tensor: q },
		k: { tensor: keyValue },
		v: { tensor: keyValue, column: inner },
		heads,
		headSize,
		sequences: halves,
		keyRows: voxelColumns(graph, side),
		keyRowsPerSequence: domains * voxels,
	});
	block.domains.forEach(({ attention }, domain) => {
		const into = { tensor: stream, rows: ofDomain(domain), accumulate: true };
		matmul(graph, { x: attended, xRows: ofDomain(domain), ...attention.out, into, label: "to_out" });
	});
	const normed2 = layerNorm(graph, { x: stream, eps: layerNormEps, label: "normMV2" });
	block.domains.forEach(({ feedForward }, domain) => {
		const hidden = matmul(graph, {
			x: normed2,
			xRows: ofDomain(domain),
			...feedForward.projection,
			gated: true,
			activation: "gelu",
			label: "ffn.net.0",
		});
		add(graph, domain === 0 ? "ffn_no" : "ffn_clr", stream, hidden, feedForward.out, ofDomain(domain));
	});
	const y = copyColumns(graph, { x: images, into: { tensor: graph.tensor("images", images.dtype, images.shape) } });
	block.domains.forEach(({ out }, domain) => {
		const name = domain === 0 ? "output_layer_no" : "output_layer_clr";
		for (let half = 0; half < halves; half++) {
			const xRows = { first: (half * sides * domains + domain) * area, count: area, stride: domains * area, segments: sides };
			const rows = { ...xRows, first: (half * views * domains + domain) * area };
			matmul(graph, { x: stream, xRows, ...out, into: { tensor: y, rows, accumulate: true }, label: name });
		}
	});
	return graph.tap("", y);
}

function checkInputs(
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

// upstream: SyncHuman/models/OneStage/attn_2D3D_sync.py (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import { type DType, reshape, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { attentionFewKeys } from "../kernels/dense/attentionFewKeys.ts";
import { copyColumns } from "../kernels/dense/copyColumns.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import type { RowSegments } from "../kernels/dense/rowSegments.ts";
import {
	addInPlace,
	type CrossAttention,
	checkInputs,
	type Downsample,
	type DualCrossAttentionConfig,
	type DualCrossAttentionInputs,
	declareAttention,
	declareDownsample,
	declareFeedForward,
	type FeedForward,
	layerNormEps,
	recordDownsample,
	sides,
} from "./dualCrossAttention.ts";
import { voxelColumns } from "./dualCrossAttentionRows.ts";
import { declareLinear, type Linear } from "./linear.ts";
import { domains } from "./multiviewLayout.ts";

/** DualCrossAttentionMV: images read the structure; one set of weights for normals, one for colours. */
export interface ImagesFromStructure {
	readonly config: DualCrossAttentionConfig;
	readonly imagesIn: Linear;
	readonly structureIn: Linear;
	readonly voxelDownsample: Downsample;
	/** Normal, colour. */
	readonly domains: readonly { readonly attention: CrossAttention; readonly feedForward: FeedForward; readonly out: Linear }[];
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
		addInPlace(graph, domain === 0 ? "ffn_no" : "ffn_clr", stream, hidden, feedForward.out, ofDomain(domain));
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

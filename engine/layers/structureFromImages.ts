// upstream: SyncHuman/models/OneStage/attn_2D3D_sync.py (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import type { DType, Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { attentionFewKeys } from "../kernels/dense/attentionFewKeys.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
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
import { imageColumns } from "./dualCrossAttentionRows.ts";
import { type Affine, declareAffine, declareLinear, type Linear } from "./linear.ts";
import { domains } from "./multiviewLayout.ts";

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
	addInPlace(graph, "cross_attn_MV_to_Structure", stream, attended, block.attention.out);
	const normed2 = layerNorm(graph, { x: stream, eps: layerNormEps, affine: block.norm2, label: "normStructure2" });
	const hidden = matmul(graph, {
		x: normed2,
		...block.feedForward.projection,
		gated: true,
		activation: "gelu",
		label: "ffn_stucture.net.0",
	});
	addInPlace(graph, "ffn_stucture", stream, hidden, block.feedForward.out);
	const out = { x: stream, ...block.structureOut };
	if (graph.isTapped("output_layer_stucture"))
		graph.tap("output_layer_stucture", matmul(graph, { ...out, label: "output_layer_stucture alone" }));
	return graph.tap("", matmul(graph, { ...out, residual: structure, label: "output_layer_stucture" }));
}

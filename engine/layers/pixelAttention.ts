import type { Weights } from "../../weights/weights.ts";
import { type DType, reshape, rowsOf, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { attention } from "../kernels/dense/attention.ts";
import { groupNorm } from "../kernels/dense/groupNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { softmax } from "../kernels/dense/softmax.ts";
import { hasSubgroupMatrices } from "../kernels/dense/subgroupMatrix.ts";
import { type Affine, declareAffine, declareLinear, declareStackedLinear, type Linear } from "./linear.ts";

// Upstream: Attention of diffusers 0.29.1 as UNetMidBlock2D of the autoencoder uses it.

/** Single-head self-attention over the pixels of a picture, behind a group norm and added to its input. */
export interface PixelAttention {
	readonly groups: number;
	readonly eps: number;
	readonly norm: Affine;
	readonly queryKeyValue: Linear;
	readonly out: Linear;
}

/** Declares `group_norm` and four linear layers, under today's names or those before diffusers 0.18. */
export function declarePixelAttention(
	weights: Weights,
	config: { readonly channels: number; readonly groups: number; readonly eps: number },
	dtype: DType,
): PixelAttention {
	const { channels, groups, eps } = config;
	const [names, out] = weights.has("to_q.weight", true)
		? [["to_q", "to_k", "to_v"], weights.at("to_out").at(0)]
		: [["query", "key", "value"], weights.at("proj_attn")];
	return {
		groups,
		eps,
		norm: declareAffine(weights.at("group_norm"), channels),
		queryKeyValue: declareStackedLinear(weights, names, channels, channels, dtype),
		out: declareLinear(out, channels, channels, dtype),
	};
}

/** x + out(attention(group_norm(x))), x [images, height, width, channels]. */
export function recordPixelAttention(graph: Graph, block: PixelAttention, x: Tensor): Tensor {
	const [images, height, width, channels] = x.shape;
	const { groups, eps, norm, out } = block;
	const normed = groupNorm(graph, { x, affine: norm, groups, eps, label: "group_norm" });
	const mixed = onProducts(graph, normed) ? recordByScores(graph, block, normed) : recordByAttention(graph, block, normed);
	const y = matmul(graph, { x: reshape(mixed, [images * height * width, channels]), ...out, residual: x, label: "to_out" });
	return { ...y, shape: x.shape };
}

/** The attention alone, of x behind the norm, by the attention kernels: [images * pixels, channels]. */
export function recordByAttention(graph: Graph, block: PixelAttention, x: Tensor): Tensor {
	const [images, height, width, channels] = x.shape;
	const pixels = height * width;
	const tensor = matmul(graph, { x, ...block.queryKeyValue, label: "to_qkv" });
	const heads = { heads: 1, headSize: channels, sequences: images, queries: pixels, keys: pixels };
	return attention(graph, { q: { tensor }, k: { tensor, column: channels }, v: { tensor, column: 2 * channels }, ...heads });
}

/** Whether one head of all channels is worth three products of matrices with the scores in memory: no attention kernel holds it in registers. */
export function onProducts(graph: Graph, x: Tensor): boolean {
	const { report } = graph.device;
	const [, height, width, channels] = x.shape;
	const scoreBytes = (height * width) ** 2 * 4;
	const fits = scoreBytes <= report.limits.maxStorageBufferBindingSize;
	return hasSubgroupMatrices(report) && x.dtype === "f16" && channels > 128 && channels % 128 === 0 && (height * width) % 32 === 0 && fits;
}

/**
 * The same by products: scores f32 [pixels, pixels] of one image at a time. Values are made transposed, without their bias, which goes
 * through the softmax unchanged: its rows sum to 1.
 */
export function recordByScores(graph: Graph, block: PixelAttention, x: Tensor): Tensor {
	const [images, height, width, channels] = x.shape;
	const { weight, bias } = block.queryKeyValue;
	const pixels = height * width;
	const part = (index: number) => ({
		weight: rowsOf(weight, index * channels, channels),
		bias: bias && rowsOf(bias, index * channels, channels),
	});
	const [query, key, value] = [part(0), part(1), part(2)];
	const rows = reshape(x, [images * pixels, channels]);
	const q = matmul(graph, { x: rows, ...query, label: "to_q" });
	const k = matmul(graph, { x: rows, ...key, label: "to_k" });
	const mixed = graph.tensor("attention", x.dtype, [images * pixels, channels]);
	for (let image = 0; image < images; image++) {
		const of = (tensor: Tensor) => rowsOf(tensor, image * pixels, pixels);
		const scores = matmul(graph, { x: of(q), weight: of(k), outputDtype: "f32", label: "scores" });
		const shares = softmax(graph, { x: scores, scale: 1 / Math.sqrt(channels), outputDtype: x.dtype, label: "softmax" });
		const transposed = matmul(graph, { x: value.weight, weight: of(rows), label: "to_v" });
		matmul(graph, { x: shares, weight: transposed, bias: value.bias, into: { tensor: of(mixed) }, label: "attention" });
	}
	return mixed;
}

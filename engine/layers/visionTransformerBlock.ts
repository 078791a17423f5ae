import { type DType, elementCount, reshape, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { attention } from "../kernels/dense/attention.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import type { Affine, Linear } from "./linear.ts";

/** A block of a vision transformer (Dosovitskiy et al. 2020, section 3.1): x += s1 * attention(norm1(x)), x += s2 * mlp(norm2(x)). */
export interface VisionTransformerBlock {
	readonly heads: number;
	readonly normEps: number;
	readonly norm1: Affine;
	/** Queries, keys and values side by side: [3 * channels, channels]. */
	readonly qkv: Linear;
	readonly out: Linear;
	/** LayerScale (Touvron et al. 2021) after attention and after the MLP: f32 [channels]; left out where the block has none. */
	readonly scales?: readonly [Tensor, Tensor] | undefined;
	readonly norm2: Affine;
	readonly mlpIn: Linear;
	readonly mlpOut: Linear;
}

/**
 * Records one block on x [images, tokens, channels]; GELU is the exact one. The residual stream keeps x's dtype, everything between is
 * of the weights' dtype. Returns [images, tokens, channels].
 */
export function recordVisionTransformerBlock(graph: Graph, block: VisionTransformerBlock, x: Tensor): Tensor {
	const { heads, normEps, scales } = block;
	const [images, tokens, channels] = x.shape;
	const dtype: DType = block.qkv.weight.dtype;
	const gate = (index: 0 | 1) => scales && { tensor: reshape(scales[index], [1, channels]), rows: elementCount([images, tokens]) };
	const normed = layerNorm(graph, { x, eps: normEps, affine: block.norm1, outputDtype: dtype, label: "norm1" });
	const qkv = matmul(graph, { x: normed, ...block.qkv, label: "qkv" });
	const attended = attention(graph, {
		q: { tensor: qkv },
		k: { tensor: qkv, column: channels },
		v: { tensor: qkv, column: 2 * channels },
		heads,
		headSize: channels / heads,
		sequences: images,
		queries: tokens,
		keys: tokens,
	});
	const middle = matmul(graph, {
		x: reshape(attended, x.shape),
		...block.out,
		gate: gate(0),
		residual: x,
		outputDtype: x.dtype,
		label: "attention out",
	});
	const hidden = matmul(graph, {
		x: layerNorm(graph, { x: middle, eps: normEps, affine: block.norm2, outputDtype: dtype, label: "norm2" }),
		...block.mlpIn,
		activation: "gelu",
		label: "mlp in",
	});
	return matmul(graph, { x: hidden, ...block.mlpOut, gate: gate(1), residual: middle, outputDtype: x.dtype, label: "mlp out" });
}

import { elementCount, reshape, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { attention } from "../kernels/dense/attention.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul, matmulAndNorm } from "../kernels/dense/matmul.ts";
import type { RowNorm } from "../kernels/dense/matmulRequest.ts";
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
 * Records blocks one after the other on x [images, tokens, channels], in the scopes `name.0`, `name.1` and so on; GELU is the exact one.
 * The residual stream keeps x's dtype, everything between is of the weights' dtype. `seen` is told what each block gives; the last one's is
 * returned.
 */
export function recordVisionTransformerBlocks(
	graph: Graph,
	name: string,
	blocks: readonly VisionTransformerBlock[],
	x: Tensor,
	seen: (index: number, x: Tensor) => void = () => {},
): Tensor {
	let at = x;
	let normed: Tensor | undefined;
	blocks.forEach((block, i) => {
		graph.scope(`${name}.${i}`, () => {
			normed ??= layerNorm(graph, { x, ...normOf(block, "norm1") });
			({ y: at, normed } = recordBlock(graph, block, { x: at, normed }, blocks[i + 1]));
			graph.tap("", at);
		});
		seen(i, at);
	});
	return at;
}

/** One block, and the norm that the next one begins with. */
function recordBlock(
	graph: Graph,
	block: VisionTransformerBlock,
	{ x, normed }: { readonly x: Tensor; readonly normed: Tensor },
	next: VisionTransformerBlock | undefined,
): { readonly y: Tensor; readonly normed: Tensor | undefined } {
	const { heads, scales } = block;
	const [images, tokens, channels] = x.shape;
	const gate = (index: 0 | 1) => scales && { tensor: reshape(scales[index], [1, channels]), rows: elementCount([images, tokens]) };
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
	const out = { x: reshape(attended, x.shape), ...block.out, gate: gate(0), residual: x, outputDtype: x.dtype, label: "attention out" };
	const middle = matmulAndNorm(graph, out, normOf(block, "norm2"));
	const hidden = matmul(graph, { x: middle.normed, ...block.mlpIn, activation: "gelu", label: "mlp in" });
	const mlpOut = { x: hidden, ...block.mlpOut, gate: gate(1), residual: middle.y, outputDtype: x.dtype, label: "mlp out" };
	if (next === undefined) return { y: matmul(graph, mlpOut), normed: undefined };
	return matmulAndNorm(graph, mlpOut, normOf(next, "norm1"));
}

function normOf(block: VisionTransformerBlock, label: "norm1" | "norm2"): RowNorm {
	return { eps: block.normEps, affine: block[label], outputDtype: block.qkv.weight.dtype, label };
}

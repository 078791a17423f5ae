// upstream: SparseTransformerBlock of SyncHuman/modules/sparse/transformer/blocks.py with its mv_condition (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import { type DType, describe, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { type AttentionWindows, attention } from "../kernels/dense/attention.ts";
import { gatherColumns } from "../kernels/dense/gatherColumns.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { sumRows } from "../kernels/sparse/sumRows.ts";
import { declareLinear, type Linear } from "./linear.ts";

/** Sizes of a block. */
export interface SparseTransformerBlockConfig {
	readonly channels: number;
	readonly heads: number;
	readonly mlpRatio: number;
	/** Channels of one view's features of one kind. */
	readonly viewChannels: number;
}

/** Self-attention of voxels. */
export interface SparseSelfAttention {
	readonly heads: number;
	readonly toQkv: Linear;
	readonly toOut: Linear;
}

/** Windowed self-attention, an MLP that sees the pixels of each voxel, an MLP. */
export interface SparseTransformerBlock {
	readonly config: SparseTransformerBlockConfig;
	readonly attention: SparseSelfAttention;
	/** [hidden, channels + 8 * viewChannels]: the voxel, then normals of views 0..3, then colours of views 0..3. */
	readonly viewsIn: Linear;
	readonly viewsOut: Linear;
	readonly mlpIn: Linear;
	readonly mlpOut: Linear;
}

const normEps = 1e-6;

/** Declares `to_qkv` and `to_out`. */
export function declareSparseSelfAttention(weights: Weights, channels: number, heads: number, dtype: DType): SparseSelfAttention {
	return {
		heads,
		toQkv: declareLinear(weights.at("to_qkv"), 3 * channels, channels, dtype),
		toOut: declareLinear(weights.at("to_out"), channels, channels, dtype),
	};
}

/** Declares the tensors of one block (`blocks.N` of the decoders). */
export function declareSparseTransformerBlock(
	weights: Weights,
	config: SparseTransformerBlockConfig,
	dtype: DType,
): SparseTransformerBlock {
	const { channels, heads, mlpRatio, viewChannels } = config;
	const hidden = channels * mlpRatio;
	const views = weights.at("mv_condition");
	const mlp = weights.at("mlp").at("mlp");
	return {
		config,
		attention: declareSparseSelfAttention(weights.at("attn"), channels, heads, dtype),
		viewsIn: declareLinear(views.at(0), hidden, channels + 8 * viewChannels, dtype, { rows: true }), // columns are gathered
		viewsOut: declareLinear(views.at(2), channels, hidden, dtype),
		mlpIn: declareLinear(mlp.at(0), hidden, channels, dtype),
		mlpOut: declareLinear(mlp.at(2), channels, hidden, dtype),
	};
}

/** Which voxels attend to each other: u32 [voxels] rows, grouped by u32 offsets [windows + 1]. */
export interface VoxelWindows extends AttentionWindows {
	readonly rows: Tensor;
}

/** The values of attention before `to_out`, [voxels, channels]: every voxel attends to those of its window. */
export function recordSparseAttention(graph: Graph, layer: SparseSelfAttention, x: Tensor, windows: VoxelWindows): Tensor {
	const channels = x.shape[1];
	const qkv = matmul(graph, { x, ...layer.toQkv, label: "to_qkv" });
	return attention(graph, {
		q: { tensor: qkv, column: 0 },
		k: { tensor: qkv, column: channels },
		v: { tensor: qkv, column: 2 * channels },
		heads: layer.heads,
		headSize: channels / layer.heads,
		sequences: windows.offsets.shape[0] - 1,
		queries: windows.largest,
		keys: windows.largest,
		queryRows: windows.rows,
		keyRows: windows.rows,
		windows,
		label: "attention",
	});
}

/** What the voxels see in the four views, once for every distinct pixel. */
export interface PixelFeatures {
	/** [pixels, 4 * viewChannels]: normals of views 0 and 2, colours of views 0 and 2. */
	readonly frontBack: Tensor;
	/** [pixels, 4 * viewChannels]: normals of views 1 and 3, colours of views 1 and 3. */
	readonly sides: Tensor;
	/** i32 [voxels, 2]: row of `frontBack`; rows of `frontBack` + row of `sides`. */
	readonly positions: Tensor;
}

/** Input of a block. */
export interface SparseTransformerBlockRequest {
	/** [voxels, channels], the residual stream. Not changed. */
	readonly x: Tensor;
	readonly windows: VoxelWindows;
	readonly pixels: PixelFeatures;
}

/**
 * x += attention(LN(x)); x += MLP([LN(x), normals, colours]); x += MLP(LN(x)), norms without parameters. Returns the new residual stream.
 * Taps: norm1, attn, mv_condition, mlp.
 */
export function recordSparseTransformerBlock(graph: Graph, block: SparseTransformerBlock, request: SparseTransformerBlockRequest): Tensor {
	const norm = (tensor: Tensor, label: string) => layerNorm(graph, { x: tensor, eps: normEps, label });
	const branch = (name: string, values: Tensor, linear: Linear, residual: Tensor) => {
		if (graph.isTapped(name)) graph.tap(name, matmul(graph, { x: values, ...linear, label: `${name} alone` }));
		return matmul(graph, { x: values, ...linear, residual, label: name });
	};
	let { x } = request;
	const attended = recordSparseAttention(graph, block.attention, graph.tap("norm1", norm(x, "norm1")), request.windows);
	x = branch("attn", attended, block.attention.toOut, x);
	x = branch("mv_condition", recordViewsHidden(graph, block, norm(x, "norm3"), request.pixels), block.viewsOut, x);
	const hidden = matmul(graph, { x: norm(x, "norm2"), ...block.mlpIn, activation: "geluTanh", label: "mlp.0" });
	return branch("mlp", hidden, block.mlpOut, x);
}

/**
 * GELU(W [voxel, normals, colours] + b), [voxels, hidden]. W falls apart by columns: what multiplies a view's features depends on the pixel
 * only, is taken once a pixel, and the two sums that a voxel sees are added to its own. Exact but for the order of summation.
 */
function recordViewsHidden(graph: Graph, block: SparseTransformerBlock, x: Tensor, pixels: PixelFeatures): Tensor {
	const { channels, viewChannels } = block.config;
	const { weight, bias } = block.viewsIn;
	const [hidden] = weight.shape;
	const { frontBack, sides, positions } = pixels;
	if (frontBack.shape[1] !== 4 * viewChannels || sides.shape[1] !== 4 * viewChannels) {
		throw new Error(
			`${graph.path}: pixel features must have ${4 * viewChannels} columns, got ${describe(frontBack)} and ${describe(sides)}`,
		);
	}
	const view = (kind: number, index: number) => [channels + (4 * kind + index) * viewChannels, viewChannels] as const;
	const products = graph.tensor("mv products", "f32", [frontBack.shape[0] + sides.shape[0], hidden]);
	[frontBack, sides].forEach((features, first) => {
		matmul(graph, {
			x: features,
			weight: gatherColumns(graph, weight, [view(0, first), view(0, first + 2), view(1, first), view(1, first + 2)], "mv weight"),
			into: { tensor: products, rows: { first: first * frontBack.shape[0], count: features.shape[0], stride: 0, segments: 1 } },
			label: "mv products",
		});
	});
	const ofVoxels = sumRows(graph, { x: products, table: positions, label: "mv sums" });
	return matmul(graph, {
		x,
		weight: gatherColumns(graph, weight, [[0, channels]], "voxel weight"),
		bias,
		rowBias: { tensor: ofVoxels, rows: 1 },
		activation: "geluTanh",
		label: "mv_condition.0",
	});
}

// upstream: SparseResBlock3d of SyncHuman/models/SecondStage/structured_latent_flow.py (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import type { DType, Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import type { Epilogue } from "../kernels/dense/matmulRequest.ts";
import { sparseConvolution } from "../kernels/sparse/sparseConvolution.ts";
import { sparsePool, sumRows } from "../kernels/sparse/sumRows.ts";
import { type Affine, declareAffine, declareLinear, type Linear } from "./linear.ts";

/** Sizes of a block. */
export interface SparseResBlockConfig {
	readonly channels: number;
	readonly outChannels: number;
	/** Width of the time embedding. */
	readonly timeChannels: number;
}

/** A residual block of two submanifold convolutions, modulated by the time between them. */
export interface SparseResBlock {
	readonly norm: Affine;
	readonly first: Linear;
	readonly second: Linear;
	/** Scale, then shift. */
	readonly modulation: Linear;
	/** Undefined where the widths are equal. */
	readonly skip: Linear | undefined;
}

const normEps = 1e-6;

/** A submanifold convolution as spconv stores it: [columns, 3, 3, 3, channels] and a bias. */
export function declareSparseConvolution(weights: Weights, columns: number, channels: number, dtype: DType): Linear {
	return {
		weight: weights.tensor("weight", [columns, 3, 3, 3, channels], { dtype }),
		bias: weights.tensor("bias", [columns], { dtype: "f32" }),
	};
}

/** Declares the tensors of one block. */
export function declareSparseResBlock(weights: Weights, config: SparseResBlockConfig, dtype: DType): SparseResBlock {
	const { channels, outChannels, timeChannels } = config;
	return {
		norm: declareAffine(weights.at("norm1"), channels),
		first: declareSparseConvolution(weights.at("conv1").at("conv"), outChannels, channels, dtype),
		second: declareSparseConvolution(weights.at("conv2").at("conv"), outChannels, outChannels, dtype),
		modulation: declareLinear(weights.at("emb_layers").at(1), 2 * outChannels, timeChannels, dtype),
		skip: channels === outChannels ? undefined : declareLinear(weights.at("skip_connection"), outChannels, channels, dtype),
	};
}

/** A change of resolution before the block. */
export type Resampling =
	/** i32 [parents, 8], see `pooledVoxels`. */
	| { readonly kind: "pool"; readonly childrenOf: Tensor }
	/** i32 [voxels, 1] parent of each voxel, and i32 [voxels, 27] parents of its neighbours. */
	| { readonly kind: "upsample"; readonly parentOf: Tensor; readonly parentNeighbours: Tensor };

/**
 * Scale, then shift of the block: f32 [steps, 2 * outChannels] from `timeSilu` = SiLU of the time embedding, f32 [steps, timeChannels], or into
 * a tensor of the caller.
 */
export function recordSparseResModulation(graph: Graph, block: SparseResBlock, timeSilu: Tensor, into?: Epilogue["into"]): Tensor {
	return matmul(graph, { x: timeSilu, ...block.modulation, outputDtype: "f32", label: "emb_layers", ...(into && { into }) });
}

/** Input of a block. */
export interface SparseResBlockRequest {
	/** [images * rows, channels] at the resolution before the block. */
	readonly x: Tensor;
	/** Copies of the voxel set with other features; default 1. */
	readonly images?: number | undefined;
	/** f32 [1, width] whose columns from `column` (default 0) on are what `recordSparseResModulation` gives. */
	readonly modulation: { readonly tensor: Tensor; readonly column?: number | undefined };
	/** i32 [voxels, 27] at the resolution of the block. */
	readonly neighbours: Tensor;
	readonly resampling?: Resampling | undefined;
}

/**
 * x = resample(x); conv(silu(LN(conv(silu(LN(x)))) * (1 + scale) + shift)) + skip(x). Returns [images * voxels, outChannels]. An upsampled
 * x is never made: its norm and its skip are taken per parent, and the first convolution reads the parents.
 */
export function recordSparseResBlock(graph: Graph, block: SparseResBlock, request: SparseResBlockRequest): Tensor {
	const { images = 1, neighbours, resampling } = request;
	const x = resampling?.kind === "pool" ? sparsePool(graph, request.x, resampling.childrenOf, images) : request.x;
	const up = resampling?.kind === "upsample" ? resampling : undefined;
	const normed = layerNorm(graph, { x, eps: normEps, affine: block.norm, silu: true, label: "norm1" });
	const first = sparseConvolution(graph, {
		x: normed,
		...block.first,
		neighbours: up?.parentNeighbours ?? neighbours,
		images,
		label: "conv1",
	});
	const { tensor: modulation, column = 0 } = request.modulation;
	const outChannels = first.shape[1];
	const rows = first.shape[0];
	const modulated = layerNorm(graph, {
		x: first,
		eps: normEps,
		modulation: { scale: { tensor: modulation, rows, column }, shift: { tensor: modulation, rows, column: column + outChannels } },
		silu: true,
		label: "norm2",
	});
	const skip = block.skip ? matmul(graph, { x, ...block.skip, label: "skip_connection" }) : x;
	const residual = up ? sumRows(graph, { x: skip, table: up.parentOf, images, label: "upsample" }) : skip;
	return sparseConvolution(graph, { x: modulated, ...block.second, neighbours, images, residual, label: "conv2" });
}

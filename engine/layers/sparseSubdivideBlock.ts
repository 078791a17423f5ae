// upstream: SparseSubdivideBlock3d of SyncHuman/models/SecondStage/structured_latent_vae/decoder_mesh.py (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import { type DType, reshape, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { groupNorm } from "../kernels/dense/groupNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { sparseConvolution } from "../kernels/sparse/sparseConvolution.ts";
import { subdividedConvolution } from "../kernels/sparse/subdividedConvolution.ts";
import { childrenPerVoxel } from "../kernels/sparse/subdividedVoxels.ts";
import { sumRows } from "../kernels/sparse/sumRows.ts";
import { type Affine, declareAffine, type Linear } from "./linear.ts";
import { declareSparseConvolution } from "./sparseResBlock.ts";

/** Sizes of a block; the official constructor has 32 groups. */
export interface SparseSubdivideBlockConfig {
	readonly channels: number;
	readonly outChannels: number;
	readonly groups: number;
}

/** Splits every voxel into eight and refines the features by two convolutions. */
export interface SparseSubdivideBlock {
	readonly config: SparseSubdivideBlockConfig;
	readonly firstNorm: Affine;
	readonly first: Linear;
	readonly secondNorm: Affine;
	readonly second: Linear;
	readonly skip: Linear;
}

const normEps = 1e-5;

/**
 * spconv's convolution with a 1 x 1 x 1 kernel as a linear layer: stored [columns, 1, 1, 1, channels], but spconv 2.x multiplies with the
 * same numbers read as [channels, columns], without a transposition. The released weights were trained with it.
 */
export function declarePointwiseSparseConvolution(weights: Weights, columns: number, channels: number, dtype: DType): Linear {
	return {
		weight: weights.tensor("weight", [columns, 1, 1, 1, channels], { dtype, view: [channels, columns], permute: [1, 0] }),
		bias: weights.tensor("bias", [columns], { dtype: "f32" }),
	};
}

/** Declares the tensors of one block (`upsample.N`). */
export function declareSparseSubdivideBlock(weights: Weights, config: SparseSubdivideBlockConfig, dtype: DType): SparseSubdivideBlock {
	const { channels, outChannels } = config;
	const out = weights.at("out_layers");
	return {
		config,
		firstNorm: declareAffine(weights.at("act_layers").at(0), channels),
		first: declareSparseConvolution(out.at(0).at("conv"), outChannels, channels, dtype),
		secondNorm: declareAffine(out.at(1), outChannels),
		second: declareSparseConvolution(out.at(3).at("conv"), outChannels, outChannels, dtype),
		skip: declarePointwiseSparseConvolution(weights.at("skip_connection").at("conv"), outChannels, channels, dtype),
	};
}

/** Input of a block. */
export interface SparseSubdivideBlockRequest {
	/** [voxels, channels]. */
	readonly x: Tensor;
	/** i32 [8 * voxels, 27] neighbours of the children. */
	readonly neighbours: Tensor;
	/** i32 [voxels, 27] neighbours of the voxels. */
	readonly parentNeighbours: Tensor;
}

/**
 * skip(sub(x)) + conv(silu(GN(conv(sub(silu(GN(x))))))), sub = every row eight times. Returns [8 * voxels, outChannels]. The subdivided
 * features are never made: the first convolution reads the parents, and the skip is a bias that eight rows share. Taps: act_layers.0,
 * out_layers.0, out_layers.1, out_layers.3, skip_connection.
 */
export function recordSparseSubdivideBlock(graph: Graph, block: SparseSubdivideBlock, request: SparseSubdivideBlockRequest): Tensor {
	const { x, neighbours, parentNeighbours } = request;
	const { groups } = block.config;
	const norm = (tensor: Tensor, affine: Affine, name: string) => {
		const asImage = reshape(tensor, [1, ...tensor.shape]);
		if (graph.isTapped(name))
			graph.tap(name, reshape(groupNorm(graph, { x: asImage, groups, eps: normEps, affine, label: name }), tensor.shape));
		return reshape(groupNorm(graph, { x: asImage, groups, eps: normEps, affine, silu: true, label: name }), tensor.shape);
	};
	const first = subdividedConvolution(graph, {
		x: norm(x, block.firstNorm, "act_layers.0"),
		...block.first,
		parentNeighbours,
		label: "out_layers.0",
	});
	graph.tap("out_layers.0", first);
	const normed = norm(first, block.secondNorm, "out_layers.1");
	const skip = matmul(graph, { x, ...block.skip, outputDtype: "f32", label: "skip_connection" });
	if (graph.isTapped("skip_connection")) graph.tap("skip_connection", everyRowEightTimes(graph, skip));
	const convolution = { x: normed, ...block.second, neighbours };
	if (graph.isTapped("out_layers.3")) graph.tap("out_layers.3", sparseConvolution(graph, { ...convolution, label: "out_layers.3 alone" }));
	return sparseConvolution(graph, { ...convolution, rowBias: { tensor: skip, rows: childrenPerVoxel }, label: "out_layers.3" });
}

function everyRowEightTimes(graph: Graph, x: Tensor): Tensor {
	const rows = x.shape[0] * childrenPerVoxel;
	const table = graph.constant(`children of ${x.shape[0]}`, "i32", [rows, 1], () =>
		Int32Array.from({ length: rows }, (_, child) => Math.floor(child / childrenPerVoxel)),
	);
	return sumRows(graph, { x, table, label: "subdivide" });
}

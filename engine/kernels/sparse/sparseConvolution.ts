import { describe, elementCount, type Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { matmul } from "../dense/matmul.ts";
import type { Epilogue } from "../dense/matmulRequest.ts";

/** A submanifold convolution over sparse rows, with the epilogue of `matmul` (without `gated` and `into`). */
export interface SparseConvolutionRequest extends Omit<Epilogue, "gated" | "into"> {
	/** [images * rowsIn, channels]: images are copies of one voxel set with other features. */
	readonly x: Tensor;
	/** [columns, ...kernel, channels] as spconv stores it. */
	readonly weight: Tensor;
	/** i32 [rowsOut, taps]: rows of x inside one image, -1 for none. */
	readonly neighbours: Tensor;
	/** Default 1. */
	readonly images?: number | undefined;
}

/**
 * y[m] = bias + sum over taps of weight[:, tap, :] x[neighbours[m, tap]], accumulated in f32; nothing is gathered in memory. Returns
 * [images * rowsOut, columns]. Upstream: spconv SubMConv3d.
 */
export function sparseConvolution(graph: Graph, request: SparseConvolutionRequest): Tensor {
	const { x, weight, neighbours, images = 1, ...epilogue } = request;
	const label = epilogue.label ?? "sparseConvolution";
	const [, taps] = neighbours.shape;
	const channels = elementCount(weight.shape) / weight.shape[0] / taps;
	if (x.shape.length !== 2 || x.shape[1] !== channels || x.shape[0] % images !== 0) {
		throw new Error(
			`${graph.path}/${label}: weight ${describe(weight)} with ${taps} taps does not fit ${images} images of x ${describe(x)}`,
		);
	}
	const rowsIn = x.shape[0] / images;
	return matmul(graph, { x, weight, neighbours: { table: neighbours, rowsIn }, ...epilogue, label });
}

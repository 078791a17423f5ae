import { describe, elementCount, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { type Epilogue, matmul } from "../dense/matmul.ts";

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
 * [images * rowsOut, columns]. Splits into windows of output rows where there is one image. Upstream: spconv SubMConv3d.
 */
export function sparseConvolution(graph: Graph, request: SparseConvolutionRequest): Tensor {
	const { x, weight, neighbours, images = 1, ...epilogue } = request;
	const label = epilogue.label ?? "sparseConvolution";
	const [rowsOut, taps] = neighbours.shape;
	const columns = weight.shape[0];
	const channels = elementCount(weight.shape) / columns / taps;
	if (x.shape.length !== 2 || x.shape[1] !== channels || x.shape[0] % images !== 0) {
		throw new Error(
			`${graph.path}/${label}: weight ${describe(weight)} with ${taps} taps does not fit ${images} images of x ${describe(x)}`,
		);
	}
	const rowsIn = x.shape[0] / images;
	if (images > 1) return matmul(graph, { x, weight, neighbours: { table: neighbours, rowsIn }, ...epilogue, label });
	const y = graph.tensor(label, epilogue.outputDtype ?? x.dtype, [rowsOut, columns]);
	const { residual, rowBias, gate } = epilogue;
	// Windows begin at whole groups of the per-group matrices, whose rows must begin aligned too.
	const alignedGroups = 64;
	const granularity = rowBias || gate ? alignedGroups * Math.max(rowBias?.rows ?? 1, gate?.rows ?? 1) : 1;
	const windowed = [neighbours, y, ...(residual ? [residual] : [])];
	forEachWindow(
		graph,
		rowsOut,
		windowed,
		(start, rows) => {
			const whole = rows === rowsOut;
			const grouped = (part: typeof rowBias) => part && { ...part, tensor: whole ? part.tensor : groupsOf(part.tensor, start / part.rows) };
			matmul(graph, {
				x,
				weight,
				neighbours: { table: rowsOf(neighbours, start, rows), rowsIn },
				...epilogue,
				rowBias: grouped(rowBias),
				gate: grouped(gate),
				residual: residual && rowsOf(residual, start, rows),
				into: { tensor: rowsOf(y, start, rows) },
				label,
			});
		},
		granularity,
	);
	return y;
}

function groupsOf(tensor: Tensor, first: number): Tensor {
	return rowsOf(tensor, first, tensor.shape[0] - first);
}

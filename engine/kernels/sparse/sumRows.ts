import { type DType, describe, elementCount, reshape, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachGatherBand } from "../dense/gatherBands.ts";
import { vectorLanes, vectorType } from "../dense/vectorLanes.ts";

/** Rows of a matrix picked, or several of them added, by a table. */
export interface SumRowsRequest {
	/** [images * rowsIn, columns], f32 or f16. */
	readonly x: Tensor;
	/** i32 [rowsOut, entries]: rows inside one image, -1 for none; the same for every image. */
	readonly table: Tensor;
	/** Default 1. */
	readonly images?: number | undefined;
	/** Divides each sum by the number of its rows plus one. */
	readonly countPlusOne?: boolean | undefined;
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
	readonly label?: string | undefined;
}

/**
 * y[m] = sum over s of x[table[m, s]], in f32. Returns [images * rowsOut, columns]. One entry a row is a gather: SparseUpsample with the
 * parents of voxels. Splits into windows of images or of rows of y. Throws where shapes do not fit.
 */
export function sumRows(graph: Graph, request: SumRowsRequest): Tensor {
	const { x, table, images = 1 } = request;
	const label = request.label ?? "sumRows";
	const columns = x.shape.at(-1) ?? 0;
	const rowsIn = elementCount(x.shape) / columns / images;
	const [rowsOut, entries] = table.shape;
	if (!Number.isInteger(rowsIn) || table.shape.length !== 2) {
		throw new Error(`${graph.path}/${label}: table ${describe(table)} does not fit ${images} images of x ${describe(x)}`);
	}
	const y = graph.tensor(label, request.outputDtype ?? x.dtype, [images * rowsOut, columns]);
	const lanes = vectorLanes(columns);
	const flatX = reshape(x, [images * rowsIn, columns]);
	forEachGatherBand(graph, { x: flatX, rowsIn, table, rows: [y], label }, (band) => {
		graph.dispatch({
			shader: "sparse/sumRows",
			label,
			aliases: { Input: vectorType(x.dtype, lanes), Values: vectorType("f32", lanes), Output: vectorType(y.dtype, lanes) },
			overrides: { countPlusOne: request.countPlusOne ?? false },
			tensors: { x: band.x, table: band.table, y: band.rows[0] },
			params: {
				count: (band.count * columns) / lanes,
				columns: columns / lanes,
				entries,
				first: (band.before * columns) / lanes,
				imageRowsIn: band.imageRowsIn,
				imageRowsOut: band.table.shape[0],
			},
			workgroups: foldedWorkgroups(Math.ceil((band.count * columns) / lanes / 64)),
		});
	});
	return y;
}

/**
 * Features of the parents: the sum of the children divided by their number plus one. `childrenOf` i32 [parents, 8] from `pooledVoxels`.
 * Upstream: SparseDownsample(2); scatter_reduce("mean") counts the zero it starts from.
 */
export function sparsePool(graph: Graph, x: Tensor, childrenOf: Tensor, images = 1): Tensor {
	return sumRows(graph, { x, table: childrenOf, images, countPlusOne: true, label: "sparsePool" });
}

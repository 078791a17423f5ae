import { type DType, describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/** Rows of a matrix picked by a table. */
export interface GatherRowsRequest {
	/** [..., columns], f32 or f16: all but the last axis are rows. */
	readonly x: Tensor;
	/** i32 [rows]: the row of x that each output row copies, -1 for zeros. */
	readonly indices: Tensor;
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
	/** Writes into columns `column ..` of an existing tensor with as many rows as indices, instead of a new one. */
	readonly into?: { readonly tensor: Tensor; readonly column?: number } | undefined;
	/** Leaves rows as they are whose index is -1; only with `into`. */
	readonly keep?: boolean | undefined;
	readonly label?: string | undefined;
}

/**
 * torch: x[indices]. Returns [rows, columns] or `into.tensor`. Splits into windows of rows, of the output and of x. An index beyond x
 * counts as -1. Throws where columns do not fit.
 */
export function gatherRows(graph: Graph, request: GatherRowsRequest): Tensor {
	const { x, indices, into, keep = false } = request;
	const label = request.label ?? "gatherRows";
	const columns = x.shape.at(-1) ?? 1;
	const rowsIn = elementCount(x.shape) / columns;
	const rows = elementCount(indices.shape);
	const y = into?.tensor ?? graph.tensor(label, request.outputDtype ?? x.dtype, [rows, columns]);
	const outputStride = y.shape.at(-1) ?? 1;
	const outputColumn = into?.column ?? 0;
	if (elementCount(y.shape) !== rows * outputStride || outputColumn + columns > outputStride) {
		throw new Error(`${graph.path}/${label}: ${rows} rows of ${describe(x)} do not fit column ${outputColumn} of ${describe(y)}`);
	}
	const flatX = reshape(x, [rowsIn, columns]);
	const flatIndices = reshape(indices, [rows, 1]);
	const flatY = reshape(y, [rows, outputStride]);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	const lanes = vectorLanes(columns, outputStride, outputColumn);
	forEachWindow(graph, rows, [flatIndices, flatY], (start, count) => {
		// The first window of x writes the zeros, too.
		forEachWindow(graph, rowsIn, [flatX], (firstRow, shownRows) => {
			graph.dispatch({
				shader: "dense/gatherRows",
				label,
				aliases: { Input: vectorType(x.dtype, lanes), Output: vectorType(y.dtype, lanes) },
				overrides: { workgroupSize, keep: keep || firstRow > 0 },
				tensors: {
					x: rowsOf(flatX, firstRow, shownRows),
					indices: rowsOf(flatIndices, start, count),
					y: rowsOf(flatY, start, count),
				},
				params: {
					...{ elements: (count * columns) / lanes, columns: columns / lanes, firstRow, rowsIn: shownRows },
					...{ outputStride: outputStride / lanes, outputColumn: outputColumn / lanes },
				},
				workgroups: foldedWorkgroups(Math.ceil((count * columns) / lanes / (4 * workgroupSize))),
			});
		});
	});
	return y;
}

/** For each of `rows` rows the position that names it in `table`, -1 for none: what puts gathered rows back (`keep`). */
export function invertedRows(table: ArrayLike<number>, rows: number): Int32Array<ArrayBuffer> {
	const positions = new Int32Array(rows).fill(-1);
	for (let position = 0; position < table.length; position++) positions[table[position]] = position;
	return positions;
}

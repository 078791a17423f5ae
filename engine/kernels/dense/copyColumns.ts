import { describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/** A copy of columns between two matrices with as many rows. */
export interface CopyColumnsRequest {
	/** [..., width], f32 or f16. */
	readonly x: Tensor;
	/** First column read; default 0. */
	readonly xColumn?: number | undefined;
	/** Number of columns; default all from `xColumn` on. */
	readonly columns?: number | undefined;
	/** An existing tensor [..., width] (converted to its type) and the first column written, default 0. Other columns stay. */
	readonly into: { readonly tensor: Tensor; readonly column?: number };
	readonly label?: string | undefined;
}

/** Copies columns; returns `into.tensor`. Splits into windows of rows. Throws where rows differ or columns do not fit. */
export function copyColumns(graph: Graph, request: CopyColumnsRequest): Tensor {
	const { x, xColumn = 0, into } = request;
	const label = request.label ?? "copyColumns";
	const y = into.tensor;
	const inputStride = x.shape.at(-1) ?? 1;
	const outputStride = y.shape.at(-1) ?? 1;
	const columns = request.columns ?? inputStride - xColumn;
	const rows = elementCount(x.shape) / inputStride;
	const outputColumn = into.column ?? 0;
	if (elementCount(y.shape) !== rows * outputStride || xColumn + columns > inputStride || outputColumn + columns > outputStride) {
		throw new Error(
			`${graph.path}/${label}: ${columns} columns from ${xColumn} of ${describe(x)} do not fit column ${outputColumn} of ${describe(y)}`,
		);
	}
	const flatX = reshape(x, [rows, inputStride]);
	const flatY = reshape(y, [rows, outputStride]);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	const lanes = vectorLanes(columns, inputStride, xColumn, outputStride, outputColumn);
	forEachWindow(graph, rows, [flatX, flatY], (start, count) => {
		graph.dispatch({
			shader: "dense/copyColumns",
			label,
			aliases: { Input: vectorType(x.dtype, lanes), Output: vectorType(y.dtype, lanes) },
			overrides: { workgroupSize },
			tensors: { x: rowsOf(flatX, start, count), y: rowsOf(flatY, start, count) },
			params: {
				...{ elements: (count * columns) / lanes, columns: columns / lanes },
				...{ inputStride: inputStride / lanes, inputColumn: xColumn / lanes },
				...{ outputStride: outputStride / lanes, outputColumn: outputColumn / lanes },
			},
			workgroups: foldedWorkgroups(Math.ceil((count * columns) / lanes / (4 * workgroupSize))),
		});
	});
	return y;
}

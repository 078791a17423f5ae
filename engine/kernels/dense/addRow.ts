import { describe, elementCount, reshape, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachSegmentWindow } from "./rowSegments.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/** What `addRow` adds, and to which rows. */
export interface AddRowRequest {
	/** [..., columns], f32 or f16: all but the last axis are rows. */
	readonly x: Tensor;
	/** f32 [columns]. */
	readonly row: Tensor;
	/** First row of x and of the output; default 0. */
	readonly first?: number | undefined;
	/** Number of rows; default: to the last. */
	readonly count?: number | undefined;
	/** Takes those rows of the result and keeps its others; of x's shape and dtype. Default: a new tensor, for all rows only. */
	readonly into?: Tensor | undefined;
}

/** y[r, c] = x[r, c] + row[c] for rows first .. first + count. Returns `into` or the new tensor. Splits into windows of rows. Throws where shapes do not fit. */
export function addRow(graph: Graph, request: AddRowRequest): Tensor {
	const { x, row, first = 0, into } = request;
	const columns = x.shape.at(-1) ?? 0;
	const rows = elementCount(x.shape) / columns;
	const count = request.count ?? rows - first;
	const y = into ?? graph.tensor("addRow", x.dtype, x.shape);
	if (elementCount(row.shape) !== columns) throw new Error(`${graph.path}/addRow: row must be [${columns}], got ${describe(row)}`);
	if (
		first + count > rows ||
		y.dtype !== x.dtype ||
		elementCount(y.shape) !== elementCount(x.shape) ||
		(into === undefined && count !== rows)
	) {
		throw new Error(`${graph.path}/addRow: rows ${first} .. ${first + count} of ${describe(x)} do not fit ${describe(y)}`);
	}
	const lanes = vectorLanes(columns);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	const matrix = (tensor: Tensor) => reshape(tensor, [rows, columns]);
	const sides = [
		{ tensors: [matrix(x), matrix(y)], segments: { first, count, stride: count, segments: 1 } },
		{ tensors: [], segments: undefined },
	] as const;
	forEachSegmentWindow(graph, count, sides, (_, shownCount, [{ tensors, segments }]) => {
		graph.dispatch({
			shader: "dense/addRow",
			aliases: { Element: vectorType(x.dtype, lanes), Values: vectorType("f32", lanes) },
			overrides: { workgroupSize },
			tensors: { x: tensors[0], row, y: tensors[1] },
			params: { count: (shownCount * columns) / lanes, columns: columns / lanes, first: ((segments?.first ?? 0) * columns) / lanes },
			workgroups: foldedWorkgroups(Math.ceil((shownCount * columns) / lanes / workgroupSize)),
		});
	});
	return y;
}

import { type DType, describe, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";

/** What a position embedding is added to. */
export interface PositionEmbeddingRequest {
	/** [images * voxels, columns], f32 or f16. */
	readonly x: Tensor;
	/** i32 [voxels, 4] rows (batch, x, y, z), 0 <= x, y, z < positions. */
	readonly coords: Tensor;
	/** f32 [positions, perAxis], 3 * perAxis <= columns: what a coordinate contributes, whichever its axis. */
	readonly table: Tensor;
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
}

/**
 * x plus the rows of the table for x, y and z side by side; columns beyond 3 * perAxis stay. Returns [images * voxels, columns]. Splits
 * into windows of rows. Upstream: AbsolutePositionEmbedder.
 */
export function positionEmbedding(graph: Graph, request: PositionEmbeddingRequest): Tensor {
	const { x, coords, table } = request;
	const [rows, columns] = x.shape;
	const [voxels] = coords.shape;
	const [, perAxis] = table.shape;
	if (x.shape.length !== 2 || coords.shape[1] !== 4 || rows % voxels !== 0 || 3 * perAxis > columns) {
		throw new Error(`${graph.path}/positionEmbedding: coords ${describe(coords)} and table ${describe(table)} do not fit x ${describe(x)}`);
	}
	const y = graph.tensor("positionEmbedding", request.outputDtype ?? x.dtype, x.shape);
	forEachWindow(graph, rows, [x, y], (firstRow, count) => {
		graph.dispatch({
			shader: "sparse/positionEmbedding",
			aliases: { Input: x.dtype, Output: y.dtype },
			tensors: { x: rowsOf(x, firstRow, count), coords, table, y: rowsOf(y, firstRow, count) },
			params: { count: count * columns, columns, perAxis, rows: voxels, firstRow },
			workgroups: foldedWorkgroups(Math.ceil((count * columns) / 64)),
		});
	});
	return y;
}

import { describe, type Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { allFit } from "../../graph/windows.ts";
import { copyColumns } from "../dense/copyColumns.ts";
import type { ActiveCubes } from "./activeCubes.ts";
import { workgroupsOf } from "./bitSet.ts";

/** What `insideCorners` needs. */
export interface InsideCornersRequest {
	readonly cubes: ActiveCubes;
	/** i32 [n, 3] of each row. */
	readonly coords: Tensor;
	/** f32 [n, columns] per row; the first eight are the SDF at its corners. */
	readonly features: Tensor;
	/** f32 [n, 8] added to the mean SDF of the vertex at each corner: the same wherever it is the same vertex. */
	readonly added?: Tensor | undefined;
	/** Added to every SDF feature before averaging; upstream: -1 / resolution. */
	readonly sdfBias: number;
	/** u32 [words], zeros before: takes the bits of the vertices inside. */
	readonly inside: Tensor;
}

/** Marks the vertices whose SDF, averaged over the active cubes around them, is negative. Upstream: trellis `sparse_cube2verts`. */
export function insideCorners(graph: Graph, request: InsideCornersRequest): void {
	const { cubes, coords, features, added, sdfBias, inside } = request;
	const [count, columns] = features.shape;
	if (features.shape.length !== 2 || columns < 8) throw new Error(`insideCorners: features must be [n,>= 8], got ${describe(features)}`);
	const sdf = allFit(graph, [features]) ? features : firstColumns(graph, features, 8);
	graph.dispatch({
		shader: "mesh/insideCorners",
		overrides: { hasAdded: added !== undefined },
		tensors: { coords, members: cubes.set.tensor, rows: cubes.rows, sdf, added, inside },
		params: { count, resolution: cubes.resolution, words: cubes.set.words, columns: sdf.shape[1], sdfBias },
		workgroups: workgroupsOf(count * 8),
	});
}

/** The first columns of a matrix larger than one binding, for a kernel that needs all rows. */
function firstColumns(graph: Graph, x: Tensor, columns: number): Tensor {
	const [rows] = x.shape;
	const copied = graph.tensor("first columns", x.dtype, [rows, columns]);
	copyColumns(graph, { x, xColumn: 0, columns, into: { tensor: copied } });
	return copied;
}

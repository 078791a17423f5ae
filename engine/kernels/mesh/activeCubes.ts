import type { Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { type BitSet, bitsOf, workgroupsOf } from "./bitSet.ts";

// Which cubes of a grid of resolution^3 have features. Cube (x, y, z) has the id (x r + y) r + z, vertex (x, y, z) (x s + y) s + z with
// s = r + 1.

/** Words of the sets of a grid's cubes and vertices. */
export function gridWords(resolution: number): { readonly cubes: number; readonly vertices: number } {
	return { cubes: Math.ceil(resolution ** 3 / 32), vertices: Math.ceil((resolution + 1) ** 3 / 32) };
}

/** Sets the bits of cubes at coords, i32 [n, 3]; all are zero before. Rows outside the grid set none. */
export function markCubes(graph: Graph, coords: Tensor, resolution: number, cubes: BitSet): void {
	const [count] = coords.shape;
	graph.dispatch({
		shader: "mesh/markCubes",
		tensors: { coords, cubes: bitsOf(cubes) },
		params: { count, resolution },
		workgroups: workgroupsOf(count),
	});
}

/** u32 [n]: the row of coords, i32 [n, 3], of every cube in the order of ids; `cubes` is their ranked set. */
export function rowsOfCubes(graph: Graph, coords: Tensor, resolution: number, { tensor, words }: BitSet): Tensor {
	const [count] = coords.shape;
	const rows = graph.tensor("rows of cubes", "u32", [count]);
	graph.dispatch({
		shader: "mesh/rowsOfCubes",
		tensors: { coords, members: tensor, rows },
		params: { count, resolution, words },
		workgroups: workgroupsOf(count),
	});
	return rows;
}

/** Cubes with features: their ranked set, and the row of every one of them in the order of ids, u32 [n]. */
export interface ActiveCubes {
	readonly resolution: number;
	readonly set: BitSet;
	readonly rows: Tensor;
}

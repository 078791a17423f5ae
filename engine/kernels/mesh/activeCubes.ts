import type { Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { workgroupsOf } from "./bitSet.ts";

// Which cubes of a grid of resolution^3 have features. Cube (x, y, z) has the id (x r + y) r + z, vertex (x, y, z) (x s + y) s + z with
// s = r + 1.

/** Words of the sets of a grid's cubes and vertices. */
export function gridWords(resolution: number): { readonly cubes: number; readonly vertices: number } {
	return { cubes: Math.ceil(resolution ** 3 / 32), vertices: Math.ceil((resolution + 1) ** 3 / 32) };
}

/**
 * Sets the bits of cubes at coords, i32 [n, 3], and of their corners; `cubes` and `vertices` are u32 [`gridWords`], zeros before. Rows outside
 * the grid set none.
 */
export function markCubes(graph: Graph, coords: Tensor, resolution: number, cubes: Tensor, vertices: Tensor): void {
	const [count] = coords.shape;
	graph.dispatch({
		shader: "mesh/markCubes",
		tensors: { coords, cubes, vertices },
		params: { count, resolution },
		workgroups: workgroupsOf(count),
	});
}

/** u32 [n]: the row of coords, i32 [n, 3], of every cube in the order of ids. `cubes` u32 [words, 2] from `rankedBits`. */
export function rowsOfCubes(graph: Graph, coords: Tensor, resolution: number, cubes: Tensor): Tensor {
	const [count] = coords.shape;
	const rows = graph.tensor("rows of cubes", "u32", [count]);
	graph.dispatch({
		shader: "mesh/rowsOfCubes",
		tensors: { coords, cubes, rows },
		params: { count, resolution },
		workgroups: workgroupsOf(count),
	});
	return rows;
}

/** u32 [v, 8]: for vertices u32 [v] the cubes that touch them as 8 * row + corner, ascending; 0xffffffff after the last. */
export function cubesOfVertices(graph: Graph, vertexIds: Tensor, resolution: number, cubes: Tensor, rows: Tensor): Tensor {
	const [count] = vertexIds.shape;
	const y = graph.tensor("cubes of vertices", "u32", [count, 8]);
	graph.dispatch({
		shader: "mesh/cubesOfVertices",
		tensors: { vertexIds, cubes, rows, y },
		params: { count, resolution },
		workgroups: workgroupsOf(count),
	});
	return y;
}

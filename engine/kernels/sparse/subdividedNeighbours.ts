import { describe, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { childrenPerVoxel } from "./subdividedVoxels.ts";
import { submanifoldTaps } from "./submanifoldNeighbours.ts";

/**
 * Neighbour table of a subdivided set, i32 [8 n, 27], from that of its parents, i32 [n, 27], on the GPU. Rows as `subdividedCoordinates`
 * gives them. Splits into windows of parents.
 */
export function subdividedNeighbours(graph: Graph, parents: Tensor): Tensor {
	const [count, taps] = parents.shape;
	if (parents.shape.length !== 2 || taps !== submanifoldTaps) {
		throw new Error(`${graph.path}/subdividedNeighbours: parents must be [n,${submanifoldTaps}], got ${describe(parents)}`);
	}
	const y = graph.tensor("neighbours", "i32", [count * childrenPerVoxel, submanifoldTaps]);
	const byParent = reshape(y, [count, childrenPerVoxel * submanifoldTaps]);
	forEachWindow(graph, count, [parents, byParent], (start, rows) => {
		// Entries of the table are rows of the whole set, so windows need no offset.
		const entries = rows * childrenPerVoxel * submanifoldTaps;
		graph.dispatch({
			shader: "sparse/subdividedNeighbours",
			tensors: { x: rowsOf(parents, start, rows), y: rowsOf(byParent, start, rows) },
			params: { entries },
			workgroups: foldedWorkgroups(Math.ceil(entries / 64)),
		});
	});
	return y;
}

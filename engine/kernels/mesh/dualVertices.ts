import { describe, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";

/** What `dualVertices` needs. */
export interface DualVerticesRequest {
	/** f32 [n, columns] per active cube, of which 21 columns from `weightColumn` are raw weights: beta 12, alpha 8, gamma 1. */
	readonly features: Tensor;
	readonly weightColumn: number;
	/** u32 [s] row of `features` of each surface cube; 0xffffffff for a cube without features (raw weights 0). */
	readonly featureRows: Tensor;
	/** u32 [s, 8] rows of `points` at the cube's corners. */
	readonly corners: Tensor;
	/** f32 [u, 4 or 10] x, y, z, sdf, colours. */
	readonly points: Tensor;
	/** u32 [d, 2] surface cube and mask of the loop's edges. */
	readonly duals: Tensor;
}

/**
 * One vertex per loop: the mean of the loop's edge crossings, weighted by beta. Returns f32 [d * (4 or 10)]: [d, 3] x, y, z, then where
 * points have them [d, 6] colours, then [d] gamma of the cube. Shen et al. 2023, equations 3 to 5 (alpha inside the crossings).
 */
export function dualVertices(graph: Graph, request: DualVerticesRequest): Tensor {
	const { features, weightColumn, featureRows, corners, points, duals } = request;
	const [featureCount, columns] = features.shape;
	if (weightColumn + 21 > columns)
		throw new Error(`dualVertices: features must have ${weightColumn + 21} columns, got ${describe(features)}`);
	const channels = points.shape[1];
	const count = duals.shape[0];
	const result = graph.tensor("dualVertices", "f32", [count * channels]);
	forEachWindow(graph, featureCount, [features], (firstRow, rows) => {
		graph.dispatch({
			shader: "mesh/dualVertices",
			tensors: { features: rowsOf(features, firstRow, rows), featureRows, corners, points, duals, result },
			params: { channels, count, columns, weightColumn, firstRow, rows, isFirst: firstRow === 0 },
			workgroups: foldedWorkgroups(Math.ceil(count / 64)),
		});
	});
	return result;
}

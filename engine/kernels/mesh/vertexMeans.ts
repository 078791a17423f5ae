import { describe, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";

/** What `vertexMeans` needs. */
export interface VertexMeansRequest {
	/** f32 [n, 53 or 101] per active cube: sdf 8, deform 8 x 3, weights 21, and in 101 columns colours 8 x 6; corner-major. */
	readonly features: Tensor;
	/** u32 [v, 8] cubes at each vertex as 8 * row + corner, 1 to 8, in the order of summation; 0xffffffff after the last. */
	readonly cubesOfVertex: Tensor;
	/** f32 [v] added to the mean SDF of each vertex. */
	readonly added?: Tensor | undefined;
	/** Added to every SDF feature before averaging; upstream: -1 / resolution. */
	readonly sdfBias: number;
	/** Averages the colours too; needs 101 columns. */
	readonly withColors: boolean;
}

/**
 * Averages the corner attributes of active cubes per vertex. Returns f32 [4 or 10, v]: sdf, deform 3, colours 6 (raw, before tanh and
 * sigmoid). Upstream: SparseFeatures2Mesh, trellis `sparse_cube2verts` with a plain mean.
 */
export function vertexMeans(graph: Graph, request: VertexMeansRequest): Tensor {
	const { features, cubesOfVertex, added } = request;
	const columns = features.shape[1];
	const channels = request.withColors ? 10 : 4;
	if (features.shape.length !== 2 || columns < (request.withColors ? 101 : 53)) {
		throw new Error(`vertexMeans: features must be [n,${request.withColors ? "101" : "53 or 101"}], got ${describe(features)}`);
	}
	const vertices = cubesOfVertex.shape[0];
	const means = graph.tensor("vertexMeans", "f32", [channels, vertices]);
	forEachWindow(graph, features.shape[0], [features], (firstRow, rows) => {
		graph.dispatch({
			shader: "mesh/vertexMeans",
			overrides: { hasAdded: added !== undefined },
			tensors: { features: rowsOf(features, firstRow, rows), cubesOfVertex, added, means },
			params: {
				channels,
				vertices,
				columns,
				firstRow,
				rows,
				isFirst: firstRow === 0,
				isLast: firstRow + rows === features.shape[0],
				sdfBias: request.sdfBias,
			},
			workgroups: foldedWorkgroups(Math.ceil((channels * vertices) / 64)),
		});
	});
	return means;
}

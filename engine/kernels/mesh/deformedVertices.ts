import type { Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";

/** What `deformedVertices` needs. */
export interface DeformedVerticesRequest {
	/** u32 [u] linear ids of grid vertices, (x (r + 1) + y) (r + 1) + z. */
	readonly vertexIds: Tensor;
	/** u32 [u] column of `means` of each vertex; 0xffffffff for a vertex without an active cube: sdf 1, no deformation. */
	readonly vertexRows: Tensor;
	/** f32 [4 or 10, v] sdf, deform 3, colours 6; raw. */
	readonly means: Tensor;
	/** Cubes per axis (r). */
	readonly resolution: number;
}

/** Points of the deformed grid: f32 [u, 4 or 10] x, y, z in [-0.5, 0.5] (z up), sdf, sigmoid of the colours. */
export function deformedVertices(graph: Graph, { vertexIds, vertexRows, means, resolution }: DeformedVerticesRequest): Tensor {
	const [channels, vertices] = means.shape;
	const count = vertexIds.shape[0];
	const points = graph.tensor("deformedVertices", "f32", [count, channels]);
	graph.dispatch({
		shader: "mesh/deformedVertices",
		tensors: { vertexIds, vertexRows, means, points },
		params: { channels, count, vertices, resolution },
		workgroups: foldedWorkgroups(Math.ceil(count / 64)),
	});
	return points;
}

import { describe, type Tensor } from "../../gpu/tensor.ts";
import type { Graph, Scalar } from "../../graph/graph.ts";

/** What `projectVertices` needs. */
export interface ProjectVerticesRequest {
	/** f32 [v, 3] in the world of the cameras. */
	readonly positions: Tensor;
	/** f32 [views, 4, 4] per view the rows of the clip matrix (projection times view) that give x, y, w - z and w. */
	readonly clipRows: Tensor;
	/** How many of the views are drawn, at most clipRows' number. */
	readonly views: number | Scalar;
	/** Pixels per side of the picture. */
	readonly size: number;
}

/**
 * Vertices on the screens of several cameras. Returns f32 [views, v, 4]: x and y in pixels from the lower left corner, t = 1 - z / w
 * (2 at the near plane, 0 at the far one), 1 in front of the eye and 0 behind it.
 */
export function projectVertices(graph: Graph, { positions, clipRows, views, size }: ProjectVerticesRequest): Tensor {
	const [capacity] = clipRows.shape;
	if (positions.shape.length !== 2 || positions.shape[1] !== 3) {
		throw new Error(`projectVertices: positions must be [v,3], got ${describe(positions)}`);
	}
	const vertices = positions.shape[0];
	const screen = graph.tensor("screen", "f32", [capacity, vertices, 4]);
	graph.dispatch({
		shader: "mesh/projectVertices",
		tensors: { positions, clipRows, screen },
		params: { vertices, views, size },
		workgroups: [Math.ceil(vertices / 64), 1, capacity],
	});
	return screen;
}

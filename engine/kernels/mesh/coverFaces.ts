import { describe, type Tensor } from "../../gpu/tensor.ts";
import type { Graph, Scalar } from "../../graph/graph.ts";

/** What `coverFaces` needs. */
export interface CoverFacesRequest {
	/** f32 [views, v, 4] of `projectVertices`. */
	readonly screen: Tensor;
	/** u32 [f, 3]. */
	readonly faces: Tensor;
	/** u32 [views, size, size], zeros before the first run. */
	readonly nearest: Tensor;
	/** u32 [f], zeros before the first run. */
	readonly seen: Tensor;
	/** How many of the views are drawn, at most screen's number. */
	readonly views: number | Scalar;
}

/**
 * Sets bit v of seen[f] where face f is the nearest at some pixel's centre of view v; leaves in `nearest` how near. Faces whose depths
 * are equal to the last bit are both seen. At most 32 views. A compute rasteriser: the same on every adapter up to the
 * rounding of f32.
 */
export function coverFaces(graph: Graph, { screen, faces, nearest, seen, views }: CoverFacesRequest): void {
	const [capacity, vertices] = screen.shape;
	const count = faces.shape[0];
	const size = nearest.shape[1];
	if (capacity > 32 || nearest.shape[0] !== capacity || nearest.shape[2] !== size) {
		throw new Error(`coverFaces: nearest must be [${capacity},size,size] with at most 32 views, got ${describe(nearest)}`);
	}
	// A picture full of few large faces would leave an invocation too many pixels: about 256 of them each.
	const stripes = Math.max(1, Math.min(size, 256, Math.ceil((size * size) / (count * 256))));
	for (const mark of [false, true]) {
		graph.dispatch({
			shader: "mesh/coverFaces",
			label: mark ? "markSeen" : "nearest",
			tensors: { screen, faceVertices: faces, nearest, seen },
			params: { faces: count, vertices, views, size, stripes, mark },
			workgroups: [Math.ceil(count / 64), stripes, capacity],
		});
	}
}

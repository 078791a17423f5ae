import { describe, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";

/** What `bodyField` needs. */
export interface BodyFieldRequest {
	/** f32 [2, s, s] signed distances to the silhouettes of front and back, left and right, in the world's units, negative inside. */
	readonly silhouettes: Tensor;
	/** f32 [4, d, d, 2] depth along y (front, back) or x (left, right) in the world, and how far the surface faces its camera, 0..1. */
	readonly depths: Tensor;
	/** Cubes per axis. */
	readonly resolution: number;
}

/** How far outside (positive) or inside every vertex of a grid over [-0.5, 0.5]^3 lies of what four views show: f32 [r + 1, r + 1, r + 1], x y z. */
export function bodyField(graph: Graph, { silhouettes, depths, resolution }: BodyFieldRequest): Tensor {
	const [pairs, silhouetteSide] = silhouettes.shape;
	const [views, depthSide] = depths.shape;
	if (silhouettes.shape.length !== 3 || pairs !== 2 || silhouettes.shape[2] !== silhouetteSide) {
		throw new Error(`bodyField: silhouettes must be [2,s,s], got ${describe(silhouettes)}`);
	}
	if (depths.shape.length !== 4 || views !== 4 || depths.shape[2] !== depthSide || depths.shape[3] !== 2) {
		throw new Error(`bodyField: depths must be [4,d,d,2], got ${describe(depths)}`);
	}
	const side = resolution + 1;
	const field = graph.tensor("bodyField", "f32", [side, side, side]);
	graph.dispatch({
		shader: "mesh/bodyField",
		tensors: { silhouettes, depths, field },
		params: { resolution, silhouetteSide, depthSide },
		workgroups: foldedWorkgroups(Math.ceil(side ** 3 / 64)),
	});
	return field;
}

import { describe, type Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { tileSide } from "./projectGaussians.ts";

/** What `compositeTiles` needs. */
export interface CompositeTilesRequest {
	/** f32 [n, 12] of `projectGaussians`. */
	readonly projected: Tensor;
	/** u32 [>= pairs] Gaussians by tile (row-major), in every tile nearest first. */
	readonly members: Tensor;
	/** u32 [tiles + 1] of `tileStarts`. */
	readonly starts: Tensor;
	/** r, g, b behind the Gaussians. */
	readonly background: readonly [number, number, number];
	/** f32 [height, width, 4] r, g, b over the background, and alpha. Written. */
	readonly color: Tensor;
	/** f32 [height, width] mean depth of what is seen, weighted as its colour; 0 where nothing is. Written. */
	readonly depth: Tensor;
}

/** Records front-to-back blending of the Gaussians of every tile, with upstream's thresholds. Pictures in one binding each. */
export function compositeTiles(graph: Graph, request: CompositeTilesRequest): void {
	const { projected, members, starts, background, color, depth } = request;
	const [height, width] = depth.shape;
	const [across, down] = [Math.ceil(width / tileSide), Math.ceil(height / tileSide)];
	if (color.shape.join() !== `${height},${width},4` || starts.shape[0] !== across * down + 1) {
		throw new Error(
			`${graph.path}/compositeTiles: color ${describe(color)}, depth ${describe(depth)} and starts ${describe(starts)} do not fit`,
		);
	}
	const [red, green, blue] = background;
	graph.dispatch({
		shader: "splat/compositeTiles",
		tensors: { projected, members, starts, color, depth },
		params: { width, height, red, green, blue },
		workgroups: [across, down],
	});
}

import type { Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";

/** What `tilePairs` needs. */
export interface TilePairsRequest {
	/** u32 [n] Gaussians, nearest first. */
	readonly order: Tensor;
	/** u32 [n + 1] prefix sum of the tile counts in that order. */
	readonly offsets: Tensor;
	/** u32 [n, 4] first and past-the-last tile x0, y0, x1, y1. */
	readonly rectangles: Tensor;
	readonly tilesAcross: number;
	/** Pairs there is room for: at least the last of `offsets`. */
	readonly capacity: number;
}

/** Records the list of (tile, Gaussian) pairs, u32 [capacity] each, of which the first offsets[n] are written: Gaussian after Gaussian. */
export function tilePairs(graph: Graph, request: TilePairsRequest): { readonly tiles: Tensor; readonly members: Tensor } {
	const { order, offsets, rectangles, tilesAcross, capacity } = request;
	const [count] = order.shape;
	const tiles = graph.tensor("pair tiles", "u32", [capacity]);
	const members = graph.tensor("pair members", "u32", [capacity]);
	graph.dispatch({
		shader: "splat/tilePairs",
		tensors: { order, offsets, rectangles, tiles, members },
		params: { count, tilesAcross },
		workgroups: foldedWorkgroups(Math.ceil(count / 64)),
	});
	return { tiles, members };
}

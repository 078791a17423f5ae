import type { Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph, type Scalar } from "../../graph/graph.ts";

/**
 * u32 [tileCount + 1]: where every tile's pairs begin in u32 `tiles` [capacity], whose first `pairs` are sorted; the last element is
 * `pairs`. torch: `searchsorted(tiles[:pairs], arange(tileCount + 1))`.
 */
export function tileStarts(graph: Graph, tiles: Tensor, pairs: number | Scalar, tileCount: number): Tensor {
	const starts = graph.tensor("tile starts", "u32", [tileCount + 1]);
	graph.dispatch({
		shader: "splat/tileStarts",
		tensors: { tiles, starts },
		params: { pairs, tileCount },
		workgroups: foldedWorkgroups(Math.ceil((tileCount + 1) / 64)),
	});
	return starts;
}

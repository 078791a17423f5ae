import { elementCount, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";

/** What `countSeenFaces` needs; all u32 and changed in place. */
export interface CountSeenFacesRequest {
	/** [f] bits of `coverFaces`; zeros afterwards. */
	readonly seen: Tensor;
	/** [views, size, size] of `coverFaces`; zeros afterwards. */
	readonly nearest: Tensor;
	/** [f] gains the number of bits. */
	readonly counts: Tensor;
}

/** Adds to every face's count the number of views that saw it, and clears for the next views. */
export function countSeenFaces(graph: Graph, { seen, nearest, counts }: CountSeenFacesRequest): void {
	const faces = seen.shape[0];
	const pixels = elementCount(nearest.shape);
	graph.dispatch({
		shader: "mesh/countSeenFaces",
		tensors: { seen, nearest, counts },
		params: { faces, pixels },
		workgroups: foldedWorkgroups(Math.ceil(Math.max(faces, pixels) / 64)),
	});
}

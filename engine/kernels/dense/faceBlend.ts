import { describe, elementCount, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/** Where the face view is mixed into the front view of a multi-view activation. */
export interface FaceBlendRequest {
	/** [halves, views, domains, side, side, channels] or any shape of as many elements with `channels` last; overwritten. */
	readonly x: Tensor;
	readonly views: number;
	/** Normal and colour: 2. */
	readonly domains: number;
	/** Height and width of an image, a multiple of 3. */
	readonly side: number;
	readonly frontView: number;
	readonly faceView: number;
	readonly label?: string | undefined;
}

/**
 * Mixes the face view, reduced three times, half and half into rows 0 .. side/3 and columns side/3 .. 2 side/3 of the front view, in
 * every half and domain, in place. Upstream: XFormersIPCDAttnProcessor.process. Returns x. Throws where the side is no multiple of 3:
 * upstream fails there too.
 */
export function faceBlend(graph: Graph, request: FaceBlendRequest): Tensor {
	const { x, views, domains, side, frontView, faceView } = request;
	const label = request.label ?? "faceBlend";
	const channels = x.shape.at(-1) ?? 0;
	const perHalf = views * domains * side * side * channels;
	const halves = elementCount(x.shape) / perHalf;
	if (!Number.isInteger(halves) || side % 3 !== 0 || frontView >= views || faceView >= views || frontView === faceView) {
		throw new Error(
			`${graph.path}/${label}: x must be [halves,${views},${domains},${side},${side},channels] with a side divisible by 3, got ${describe(x)}`,
		);
	}
	const third = side / 3;
	const lanes = vectorLanes(channels);
	const count = (halves * domains * third * third * channels) / lanes;
	const workgroupSize = graph.device.report.software ? 64 : 256;
	graph.dispatch({
		shader: "dense/faceBlend",
		label,
		aliases: { Element: vectorType(x.dtype, lanes), Values: vectorType("f32", lanes) },
		overrides: { workgroupSize },
		tensors: { x },
		params: { count, side, third, channels: channels / lanes, views, domains, frontView, faceView },
		workgroups: foldedWorkgroups(Math.ceil(count / workgroupSize)),
	});
	return x;
}

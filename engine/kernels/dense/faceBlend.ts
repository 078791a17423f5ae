import { describe, elementCount, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { allFit } from "../../graph/windows.ts";
import { elementwise } from "./elementwise.ts";
import { gatherRows, invertedRows } from "./gatherRows.ts";
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
	if (!allFit(graph, [x])) {
		blendInWindows(graph, request, halves, label);
		return x;
	}
	const lanes = vectorLanes(channels);
	const count = (halves * domains * third * third * channels) / lanes;
	const workgroupSize = graph.device.report.software ? 64 : 256;
	graph.dispatch({
		shader: "dense/faceBlend",
		label,
		aliases: { Element: vectorType(x.dtype, lanes), Values: vectorType("f32", lanes) },
		overrides: { workgroupSize },
		tensors: { x },
		mayBlock: lanes === 4 ? ["x"] : [],
		params: { count, side, third, channels: channels / lanes, views, domains, frontView, faceView },
		workgroups: foldedWorkgroups(Math.ceil(count / workgroupSize)),
	});
	return x;
}

/** The same sums where x is beyond one binding: the pixels that are mixed are copied out, and back. */
function blendInWindows(
	graph: Graph,
	{ x, views, domains, side, frontView, faceView }: FaceBlendRequest,
	halves: number,
	label: string,
): void {
	const channels = x.shape.at(-1) ?? 0;
	const rows = elementCount(x.shape) / channels;
	const third = side / 3;
	const pixels = halves * domains * third * third;
	const pixelRows = (view: number, pixel: (row: number, column: number) => number) =>
		Int32Array.from({ length: pixels }, (_, i) => {
			const image = Math.floor(i / third ** 2);
			const inHalf = (Math.floor(image / domains) * views + view) * domains + (image % domains);
			return inHalf * side * side + pixel(Math.floor(i / third) % third, i % third);
		});
	const faceRows = () => pixelRows(faceView, (row, column) => (3 * row + 1) * side + 3 * column + 1);
	const frontRows = () => pixelRows(frontView, (row, column) => row * side + third + column);
	const key = `faceBlend ${[halves, views, domains, side, frontView, faceView]}`;
	const copied = (name: string, values: () => Int32Array) =>
		gatherRows(graph, { x, indices: graph.constant(`${key} ${name}`, "i32", [pixels], values), label: `${label} ${name}` });
	const [front, face] = [copied("front", frontRows), copied("face", faceRows)];
	const blended = elementwise(graph, { x: front, scale: 0.5, addend: face, addendScale: 0.5, label });
	const back = graph.constant(`${key} back`, "i32", [rows], () => invertedRows(frontRows(), rows));
	gatherRows(graph, { x: blended, indices: back, into: { tensor: x }, keep: true, label: `${label} back` });
}

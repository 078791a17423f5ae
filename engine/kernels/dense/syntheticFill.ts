import { rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { layoutOf, type StoredLayout } from "./storedLayout.ts";

/** A stream of synthetic numbers and where they go. */
export interface SyntheticFillRequest extends StoredLayout {
	/** Of the stream (engine/random/synthetic.ts syntheticKey), u32. */
	readonly key: number;
	/** Numbers are uniform in [offset - scale, offset + scale). */
	readonly offset: number;
	readonly scale: number;
	readonly label?: string | undefined;
}

/**
 * Fills `target` with f16-representable numbers of the synthetic generator, the same bits on every device; the stream's counter is the
 * row-major index in the stored tensor. Splits into windows anywhere. Returns the target. Throws where the layout does not give the target's shape.
 */
export function syntheticFill(graph: Graph, request: SyntheticFillRequest): Tensor {
	const { target } = request;
	const label = request.label ?? "syntheticFill";
	const { words, halves, rank, layoutParams } = layoutOf(graph, label, request);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	forEachWindow(graph, words.shape[0], [words], (start, count) => {
		graph.dispatch({
			shader: "dense/syntheticFill",
			label,
			overrides: { workgroupSize, halves, rank },
			tensors: { y: rowsOf(words, start, count) },
			params: {
				words: count,
				...layoutParams,
				firstElement: start * (halves ? 2 : 1),
				key: request.key,
				offset: request.offset,
				scale: request.scale,
				opaqueZero: 0,
			},
			workgroups: foldedWorkgroups(Math.ceil(count / workgroupSize)),
		});
	});
	return target;
}

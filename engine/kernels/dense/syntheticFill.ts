import { describe, elementCount, rowsOf, type Tensor, tensorBytes } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { mergedAxes } from "./permute.ts";

/** A stream of synthetic numbers and where they go. */
export interface SyntheticFillRequest {
	/** f32 or f16, overwritten; its shape is the stored one after view, permute and padLastTo. */
	readonly target: Tensor;
	/** Of the stream (engine/random/synthetic.ts syntheticKey), u32. */
	readonly key: number;
	/** Numbers are uniform in [offset - scale, offset + scale). */
	readonly offset: number;
	readonly scale: number;
	/** Of the stored tensor, whose row-major index is the stream's counter. */
	readonly storedShape: readonly number[];
	/** Looks at the stored tensor as this shape; default its own. */
	readonly view?: readonly number[] | undefined;
	/** For every axis of the target the axis of the view; default in order. */
	readonly permute?: readonly number[] | undefined;
	/** The last axis is filled up with zeros to this length; default not. */
	readonly padLastTo?: number | undefined;
	readonly label?: string | undefined;
}

/**
 * Fills `target` with f16-representable numbers of the synthetic generator, the same bits on every device. Splits into windows
 * anywhere. Returns the target. Throws where the layout does not give the target's shape.
 */
export function syntheticFill(graph: Graph, request: SyntheticFillRequest): Tensor {
	const { target, storedShape } = request;
	const label = request.label ?? "syntheticFill";
	const view = request.view ?? storedShape;
	const axes = request.permute ?? view.map((_, axis) => axis);
	const shape = axes.map((axis) => view[axis]);
	const last = shape.at(-1) ?? 1;
	const lastPadded = request.padLastTo ?? last;
	const elements = elementCount(target.shape);
	const { extents, strides } = mergedAxes(view, axes);
	const fits =
		elementCount(view) === elementCount(storedShape) && elements * last === elementCount(shape) * lastPadded && lastPadded >= last;
	if (!fits || extents.length > 8 || (target.dtype !== "f32" && target.dtype !== "f16")) {
		throw new Error(`${graph.path}/${label}: [${storedShape}] as [${view}] in order [${axes}] is not ${describe(target)}`);
	}
	const halves = target.dtype === "f16";
	const words: Tensor = { ...target, dtype: "u32", shape: [Math.ceil(tensorBytes(target) / 4)] };
	const eight = (values: readonly number[], fill: number) => [...new Array(8 - values.length).fill(fill), ...values];
	const extent = eight(extents, 1);
	const stride = eight(strides, 0);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	forEachWindow(graph, words.shape[0], [words], (start, count) => {
		graph.dispatch({
			shader: "dense/syntheticFill",
			label,
			overrides: { workgroupSize, halves, rank: extents.length },
			tensors: { y: rowsOf(words, start, count) },
			params: {
				words: count,
				elements,
				firstElement: start * (halves ? 2 : 1),
				key: request.key,
				offset: request.offset,
				scale: request.scale,
				opaqueZero: 0,
				lastPadded,
				last,
				extent0: extent.slice(0, 4),
				extent1: extent.slice(4),
				stride0: stride.slice(0, 4),
				stride1: stride.slice(4),
			},
			workgroups: foldedWorkgroups(Math.ceil(count / workgroupSize)),
		});
	});
	return target;
}

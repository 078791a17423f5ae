import { describe, elementCount, type Tensor, tensorBytes } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { axisParams, mergedAxes } from "./permute.ts";

/** A tensor to be filled, and how its elements lie in the stored one. */
export interface StoredLayout {
	/** f32 or f16, overwritten; its shape is the stored one after view, permute and padLastTo. */
	readonly target: Tensor;
	/** Of the stored tensor, row-major. */
	readonly storedShape: readonly number[];
	/** Looks at the stored tensor as this shape; default its own. */
	readonly view?: readonly number[] | undefined;
	/** For every axis of the target the axis of the view; default in order. */
	readonly permute?: readonly number[] | undefined;
	/** The last axis is filled up with zeros to this length; default not. */
	readonly padLastTo?: number | undefined;
}

/** What arrangeWeight.wgsl and syntheticFill.wgsl are told of a layout. Throws, naming `label`, where it does not give the target's shape. */
export function layoutOf(graph: Graph, label: string, layout: StoredLayout) {
	const { target, storedShape } = layout;
	const view = layout.view ?? storedShape;
	const axes = layout.permute ?? view.map((_, axis) => axis);
	const shape = axes.map((axis) => view[axis]);
	const last = shape.at(-1) ?? 1;
	const lastPadded = layout.padLastTo ?? last;
	const elements = elementCount(target.shape);
	const { extents, strides } = mergedAxes(view, axes);
	const fits =
		elementCount(view) === elementCount(storedShape) && elements * last === elementCount(shape) * lastPadded && lastPadded >= last;
	if (!fits || extents.length > 8 || (target.dtype !== "f32" && target.dtype !== "f16")) {
		throw new Error(`${graph.path}/${label}: [${storedShape}] as [${view}] in order [${axes}] is not ${describe(target)}`);
	}
	const words: Tensor = { ...target, dtype: "u32", shape: [Math.ceil(tensorBytes(target) / 4)] }; // one a thread
	const layoutParams = { elements, lastPadded, last, ...axisParams(extents, strides) };
	return { words, halves: target.dtype === "f16", rank: extents.length, layoutParams };
}

import { describe, elementCount, rowsOf, type Tensor, tensorBytes } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { mergedAxes } from "./permute.ts";

/** Element types of checkpoint files that the GPU can read. */
export type RawDType = "F32" | "F16" | "BF16";

/** A tensor of a checkpoint file, and where it goes. */
export interface ArrangeWeightRequest {
	/** u32 words with the file's bytes. */
	readonly raw: Tensor;
	readonly rawDtype: RawDType;
	/** First byte of the tensor in `raw`, a multiple of its element. */
	readonly byteOffset: number;
	/** f32 or f16, overwritten; its shape is the stored one after view, permute and padLastTo. */
	readonly target: Tensor;
	/** u32 [1], set to 1 where a value is not finite or too large for the target, otherwise left alone. */
	readonly flags: Tensor;
	readonly storedShape: readonly number[];
	/** Looks at the stored tensor as this shape; default its own. */
	readonly view?: readonly number[] | undefined;
	/** For every axis of the target the axis of the view; default in order. */
	readonly permute?: readonly number[] | undefined;
	/** The last axis is filled up with zeros to this length; default not. */
	readonly padLastTo?: number | undefined;
}

/**
 * Casts and rearranges a stored tensor as weights/arrangeWeight.ts does on the CPU, to the bit. Splits into windows of the target
 * anywhere; `raw` must fit one binding. Returns the target. Throws where the layout does not give the target's shape.
 */
export function arrangeWeight(graph: Graph, request: ArrangeWeightRequest): Tensor {
	const { raw, rawDtype, byteOffset, target, flags, storedShape } = request;
	const label = "arrangeWeight";
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
	const rawBytes = rawDtype === "F32" ? 4 : 2;
	if (byteOffset % rawBytes !== 0) throw new Error(`${graph.path}/${label}: byte ${byteOffset} is not where an ${rawDtype} can begin`);
	const halves = target.dtype === "f16";
	const words: Tensor = { ...target, dtype: "u32", shape: [Math.ceil(tensorBytes(target) / 4)] };
	const eight = (values: readonly number[], fill: number) => [...new Array(8 - values.length).fill(fill), ...values];
	const extent = eight(extents, 1);
	const stride = eight(strides, 0);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	forEachWindow(graph, words.shape[0], [words], (start, count) => {
		graph.dispatch({
			shader: "dense/arrangeWeight",
			label,
			overrides: { workgroupSize, halves, rawHalves: rawBytes === 2, rawBrain: rawDtype === "BF16" },
			tensors: { raw, y: rowsOf(words, start, count), flags },
			params: {
				words: count,
				elements,
				firstElement: start * (halves ? 2 : 1),
				firstRaw: byteOffset / rawBytes,
				lastPadded,
				last,
				rank: extents.length,
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

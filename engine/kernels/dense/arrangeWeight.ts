import { rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { layoutOf, type StoredLayout } from "./storedLayout.ts";

/** Element types of checkpoint files that the GPU can read. */
export type RawDType = "F32" | "F16" | "BF16";

/** A tensor of a checkpoint file, and where it goes. */
export interface ArrangeWeightRequest extends StoredLayout {
	/** u32 words with the file's bytes. */
	readonly raw: Tensor;
	readonly rawDtype: RawDType;
	/** First byte of the tensor in `raw`, a multiple of its element. */
	readonly byteOffset: number;
	/** u32 [1], set to 1 where a value is not finite or too large for the target, otherwise left alone. */
	readonly flags: Tensor;
}

/**
 * Casts and rearranges a stored tensor as weights/arrangeWeight.ts does on the CPU, to the bit. Splits into windows of the target
 * anywhere; `raw` must fit one binding. Returns the target. Throws where the layout does not give the target's shape.
 */
export function arrangeWeight(graph: Graph, request: ArrangeWeightRequest): Tensor {
	const { raw, rawDtype, byteOffset, target, flags } = request;
	const label = "arrangeWeight";
	const { words, halves, rank, layoutParams } = layoutOf(graph, label, request);
	const rawBytes = rawDtype === "F32" ? 4 : 2;
	if (byteOffset % rawBytes !== 0) throw new Error(`${graph.path}/${label}: byte ${byteOffset} is not where an ${rawDtype} can begin`);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	forEachWindow(graph, words.shape[0], [words], (start, count) => {
		graph.dispatch({
			shader: "dense/arrangeWeight",
			label,
			overrides: { workgroupSize, halves, rawHalves: rawBytes === 2, rawBrain: rawDtype === "BF16" },
			tensors: { raw, y: rowsOf(words, start, count), flags },
			params: {
				words: count,
				...layoutParams,
				firstElement: start * (halves ? 2 : 1),
				firstRaw: byteOffset / rawBytes,
				rank,
			},
			workgroups: foldedWorkgroups(Math.ceil(count / workgroupSize)),
		});
	});
	return target;
}

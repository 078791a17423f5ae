import { reshape, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph, type Scalar } from "../../graph/graph.ts";
import { prefixSum } from "./prefixSum.ts";

/** Keys that one workgroup sorts; stands in the shaders, too. */
const blockSize = 2048;
/** Bits that one pass sorts by; stands in the shaders, too. */
const digitBits = 4;

/** What `radixSort` needs. */
export interface RadixSortRequest {
	/** u32 [capacity]; at least 1. */
	readonly keys: Tensor;
	/** u32 [capacity] carried along; left out, the value of key i is i. */
	readonly values?: Tensor;
	/** Keys that count, the first ones; by default all. */
	readonly count?: number | Scalar;
	/** Low bits that differ: a multiple of 4 is sorted, the rest above must be 0. */
	readonly bits: number;
	/** u32 [capacity] for values that outlive the graph. */
	readonly into?: Tensor;
}

/**
 * Sorts keys and their values by key, equal keys in the order they came: the same bytes every time. Gives u32 [capacity] each; what
 * stands behind the first `count` means nothing. Keys in one binding. torch: `sort(keys, stable=True)`.
 */
export function radixSort(graph: Graph, request: RadixSortRequest): { readonly keys: Tensor; readonly values: Tensor } {
	const { bits, into } = request;
	const [capacity] = request.keys.shape;
	const { count = capacity } = request;
	const blocks = Math.ceil(capacity / blockSize);
	const passes = Math.max(1, Math.ceil(bits / digitBits));
	let { keys, values } = request;
	for (let pass = 0; pass < passes; pass++) {
		const params = { count, blocks, shift: pass * digitBits };
		const histogram = graph.tensor("digit counts", "u32", [2 ** digitBits, blocks]);
		graph.dispatch({
			shader: "splat/radixHistogram",
			tensors: { keys, histogram },
			params,
			workgroups: foldedWorkgroups(blocks),
		});
		const starts = prefixSum(graph, { values: reshape(histogram, [2 ** digitBits * blocks]) });
		const sortedKeys = graph.tensor("sorted keys", "u32", [capacity]);
		const sortedValues: Tensor = pass === passes - 1 && into !== undefined ? into : graph.tensor("sorted values", "u32", [capacity]);
		graph.dispatch({
			shader: "splat/radixScatter",
			overrides: { valuesAreIndices: values === undefined },
			tensors: { keys, values, starts, sortedKeys, sortedValues },
			params,
			workgroups: foldedWorkgroups(blocks),
		});
		keys = sortedKeys;
		values = sortedValues;
	}
	return { keys, values: values as Tensor };
}

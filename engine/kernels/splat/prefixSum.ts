import type { Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";

/** Values that one workgroup sums; stands in the shaders, too. */
const blockSize = 2048;
/** Blocks of which every one adds up the totals of those before; of more, these are a prefix sum of their own. */
const blocksAddedUp = 2048;

/** What `prefixSum` needs. */
export interface PrefixSumRequest {
	/** u32 [n]; n at least 1. */
	readonly values: Tensor;
	/** u32 [n]: sums values[order[i]] instead of values[i]. */
	readonly order?: Tensor;
	/** u32 [n + 1] for a result that outlives the graph. */
	readonly into?: Tensor;
}

/**
 * Exclusive prefix sum, u32 [n + 1]: element i is the sum of the first i values, the last one the total. Sums beyond 2^32 - 1 stay there.
 * torch: `cat([zeros(1), values.cumsum(0)])`. Values and sums in one binding each.
 */
export function prefixSum(graph: Graph, { values, order, into }: PrefixSumRequest): Tensor {
	return sumsOf(graph, values, into ?? graph.tensor("prefix sums", "u32", [values.shape[0] + 1]), { order });
}

/** u32 [n + 1, 2] for words u32 [n]: every word, and the bits set in all words before; last 0 and the bits of all. */
export function prefixSumOfBits(graph: Graph, words: Tensor): Tensor {
	return sumsOf(graph, words, graph.tensor("ranked words", "u32", [words.shape[0] + 1, 2]), { ofBits: true });
}

function sumsOf(
	graph: Graph,
	values: Tensor,
	sums: Tensor,
	{ order, ofBits = false }: { readonly order?: Tensor | undefined; readonly ofBits?: boolean },
): Tensor {
	const [count] = values.shape;
	const blocks = Math.ceil((count + 1) / blockSize);
	const work = { params: { count, blocks }, workgroups: foldedWorkgroups(blocks) };
	const overrides = { gathered: order !== undefined, ofBits };
	const totals = blocks > 1 ? graph.tensor("block totals", "u32", [blocks]) : undefined;
	if (totals) graph.dispatch({ shader: "splat/blockTotals", overrides, tensors: { values, order, totals }, ...work });
	const summed = totals !== undefined && blocks > blocksAddedUp;
	const before = summed ? prefixSum(graph, { values: totals }) : totals;
	graph.dispatch({ shader: "splat/prefixSum", overrides: { ...overrides, summed }, tensors: { values, order, before, sums }, ...work });
	return sums;
}

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
	const [count] = values.shape;
	const sums = into ?? graph.tensor("prefix sums", "u32", [count + 1]);
	const { blocks, before, summed } = blocksBefore(graph, values, { order });
	graph.dispatch({
		shader: "splat/prefixSum",
		overrides: { gathered: order !== undefined, summed },
		tensors: { values, order, before, sums },
		params: { count, blocks },
		workgroups: foldedWorkgroups(blocks),
	});
	return sums;
}

/** What a workgroup of the second half of a prefix sum finds of the blocks of 2,048 values before its own. */
export interface BlocksBefore {
	readonly blocks: number;
	/** u32 [blocks] totals, or the sums before where `summed`; undefined: there is one block. */
	readonly before: Tensor | undefined;
	readonly summed: boolean;
}

/** The first half of a prefix sum over u32 [n], or over the bits set in each, for so many sums; by default n + 1. */
export function blocksBefore(
	graph: Graph,
	values: Tensor,
	request: { readonly order?: Tensor | undefined; readonly ofBits?: boolean; readonly sums?: number },
): BlocksBefore {
	const [count] = values.shape;
	const { order, ofBits = false, sums = count + 1 } = request;
	const blocks = Math.ceil(sums / blockSize);
	if (blocks === 1) return { blocks, before: undefined, summed: false };
	const totals = graph.tensor("block totals", "u32", [blocks]);
	graph.dispatch({
		shader: "splat/blockTotals",
		overrides: { gathered: order !== undefined, ofBits },
		tensors: { values, order, totals },
		params: { count, blocks },
		workgroups: foldedWorkgroups(blocks),
	});
	const summed = blocks > blocksAddedUp;
	return { blocks, before: summed ? prefixSum(graph, { values: totals }) : totals, summed };
}

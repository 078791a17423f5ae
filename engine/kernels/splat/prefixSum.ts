import type { Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";

/** Values that one workgroup sums; stands in the shaders, too. */
const blockSize = 2048;

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
	const blocks = Math.ceil((count + 1) / blockSize);
	const sums = into ?? graph.tensor("prefix sums", "u32", [count + 1]);
	const totals = graph.tensor("block totals", "u32", [blocks]);
	graph.dispatch({
		shader: "splat/prefixSumBlocks",
		overrides: { gathered: order !== undefined },
		tensors: { values, order, sums, totals },
		params: { count, blocks },
		workgroups: foldedWorkgroups(blocks),
	});
	if (blocks === 1) return sums;
	graph.dispatch({
		shader: "splat/addBlockOffsets",
		tensors: { offsets: prefixSum(graph, { values: totals }), sums },
		params: { count: count + 1 },
		workgroups: foldedWorkgroups(Math.ceil((count + 1) / 256)),
	});
	return sums;
}

import { rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { prefixSumOfBits } from "../splat/prefixSum.ts";

/** A set of numbers on the GPU, as bits. */
export interface BitSet {
	/** u32 [words, 2]: bit (id & 31) of word (id >>> 5), and the members in all words before. */
	readonly bits: Tensor;
	/** u32 [1] how many members it has, for the host to read. */
	readonly count: Tensor;
}

const perWorkgroup = 64;

/** One invocation an element of `count`. */
export function workgroupsOf(count: number): [number, number] {
	return foldedWorkgroups(Math.ceil(count / perWorkgroup));
}

/** The set of the bits u32 [words]; both are outputs of the graph. */
export function rankedBits(graph: Graph, words: Tensor): BitSet {
	const [count] = words.shape;
	const ranked = graph.output(prefixSumOfBits(graph, words));
	return { bits: rowsOf(ranked, 0, count), count: elementOf(ranked, 2 * count + 1) };
}

/** u32 [1]: one element of a u32 tensor, for the host to read. */
export function elementOf(tensor: Tensor, index: number): Tensor {
	return { ...tensor, shape: [1], byteOffset: tensor.byteOffset + index * 4 };
}

/** u32 [count]: the members of a set in ascending order. */
export function membersOfBits(graph: Graph, bits: Tensor, count: number): Tensor {
	const members = graph.tensor("members", "u32", [count]);
	const [words] = bits.shape;
	graph.dispatch({ shader: "mesh/membersOfBits", tensors: { bits, members }, params: { words }, workgroups: workgroupsOf(words) });
	return members;
}

/** u32 [n]: positions of ids u32 [n] among the members of a set, or what `rows` u32 has there; 0xffffffff where they are none. */
export function rankMembers(graph: Graph, ids: Tensor, bits: Tensor, rows?: Tensor): Tensor {
	const [count] = ids.shape;
	const ranks = graph.tensor("ranks", "u32", [count]);
	graph.dispatch({
		shader: "mesh/rankMembers",
		overrides: { hasRows: rows !== undefined },
		tensors: { ids, members: bits, rows, ranks },
		params: { count },
		workgroups: workgroupsOf(count),
	});
	return ranks;
}

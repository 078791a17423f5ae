import { rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { blocksBefore } from "../splat/prefixSum.ts";

/**
 * A set of numbers on the GPU in one tensor, u32 [words + ceil(words / 8) + 1]: first bit (id & 31) of word (id >>> 5), then, written by
 * `rankBits`, the members in the words before every eighth, and last how many there are. So 17 million numbers take 2.3 MiB: Dawn takes
 * memory for buffers of 4 MiB and more from the driver one by one, which costs 0.2 ms each.
 */
export interface BitSet {
	readonly tensor: Tensor;
	readonly words: number;
}

/** Words between two ranks; stands in the shaders, too. */
const wordsOfRank = 8;
const perWorkgroup = 64;

/** Elements of the tensor of a set; a resident one of zeros is an empty set, to be ranked. */
export function setLength(words: number): number {
	return words + Math.ceil(words / wordsOfRank) + 1;
}

/** One invocation an element of `count`. */
export function workgroupsOf(count: number): [number, number] {
	return foldedWorkgroups(Math.ceil(count / perWorkgroup));
}

/** The bits of a set, u32 [words]. */
export function bitsOf({ tensor, words }: BitSet): Tensor {
	return rowsOf(tensor, 0, words);
}

/** u32 [1] how many members a ranked set has, for the host to read. */
export function countOf({ tensor }: BitSet): Tensor {
	return elementOf(tensor, tensor.shape[0] - 1);
}

/** Counts the members of a set whose bits are there. */
export function rankBits(graph: Graph, set: BitSet): void {
	const { tensor, words } = set;
	const { blocks, before, summed } = blocksBefore(graph, bitsOf(set), { ofBits: true, sums: (setLength(words) - words) * wordsOfRank });
	graph.dispatch({
		shader: "mesh/rankBits",
		overrides: { summed },
		tensors: { before, members: tensor },
		params: { words, blocks },
		workgroups: foldedWorkgroups(blocks),
	});
}

/** u32 [1]: one element of a u32 tensor, for the host to read. */
export function elementOf(tensor: Tensor, index: number): Tensor {
	return { ...tensor, shape: [1], byteOffset: tensor.byteOffset + index * 4 };
}

/** u32 [count]: the members of a ranked set in ascending order. */
export function membersOfBits(graph: Graph, { tensor, words }: BitSet, count: number): Tensor {
	const ids = graph.tensor("members", "u32", [count]);
	graph.dispatch({ shader: "mesh/membersOfBits", tensors: { members: tensor, ids }, params: { words }, workgroups: workgroupsOf(words) });
	return ids;
}

/** u32 [n]: positions of ids u32 [n] among the members of a ranked set, or what `rows` u32 has there; 0xffffffff where they are none. */
export function rankMembers(graph: Graph, ids: Tensor, { tensor, words }: BitSet, rows?: Tensor): Tensor {
	const [count] = ids.shape;
	const ranks = graph.tensor("ranks", "u32", [count]);
	graph.dispatch({
		shader: "mesh/rankMembers",
		overrides: { hasRows: rows !== undefined },
		tensors: { ids, members: tensor, rows, ranks },
		params: { count, words },
		workgroups: workgroupsOf(count),
	});
	return ranks;
}

import { describe, elementCount, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { type AttentionOperands, checkedOperands } from "./attentionOperands.ts";

/** Attention of every query to a few rows of its own. Heads of at most 512. */
export interface AttentionFewKeysRequest extends AttentionOperands {
	/** How many times the tables are used, each time on rows further down. */
	readonly sequences: number;
	/** i32 [queries, keys], keys <= 16: rows of k and v that a query of the first sequence attends to; negative: none. */
	readonly keyRows: Tensor;
	/** Rows of k and v between sequences; 0 where all read the same ones. */
	readonly keyRowsPerSequence: number;
	/** u32 [queries]: row of q and of the output of every query of the first sequence; default: its own number. */
	readonly queryRows?: Tensor | undefined;
	/** Rows of q and of the output between sequences; default: queries. */
	readonly queryRowsPerSequence?: number | undefined;
}

const workgroupSize = 64;

/**
 * Softmax over at most 16 gathered keys a query, without copies of k and v; 0 for a query without keys. Returns [rows of q, heads *
 * headSize] or `into`; rows of a new output that no query names are undefined. Each tensor must fit one binding.
 */
export function attentionFewKeys(graph: Graph, request: AttentionFewKeysRequest): Tensor {
	const { sequences, keyRows, queryRows, heads, headSize } = request;
	const label = request.label ?? "attentionFewKeys";
	const where = `${graph.path}/${label}`;
	const { q, k, v, y, scale } = checkedOperands(graph, where, request);
	const keys = keyRows.shape.at(-1) ?? 0;
	const queries = elementCount(keyRows.shape) / Math.max(1, keys);
	if (keyRows.dtype !== "i32" || keys < 1 || keys > 16)
		throw new Error(`${where}: keyRows must be i32 [queries, 1 .. 16], got ${describe(keyRows)}`);
	if (queryRows && elementCount(queryRows.shape) !== queries)
		throw new Error(`${where}: queryRows must be [${queries}], got ${describe(queryRows)}`);
	const queryRowsPerSequence = request.queryRowsPerSequence ?? queries;
	const rows = (sequences - 1) * queryRowsPerSequence + (queryRows ? 1 : queries);
	if (q.rows < rows || y.shape[0] < rows)
		throw new Error(`${where}: q and the output must have ${rows} rows, got ${q.rows} and ${y.shape[0]}`);
	const keyRowsNeeded = (sequences - 1) * request.keyRowsPerSequence + 1;
	if (Math.min(k.rows, v.rows) < keyRowsNeeded)
		throw new Error(`${where}: k and v must have ${keyRowsNeeded} rows, got ${k.rows} and ${v.rows}`);
	graph.dispatch({
		shader: "dense/attentionFewKeys",
		label,
		aliases: { Query: q.tensor.dtype, Key: k.tensor.dtype, Value: v.tensor.dtype, Output: y.dtype },
		overrides: { keys, hasQueryRows: queryRows !== undefined, workgroupSize },
		tensors: { q: q.matrix, k: k.matrix, v: v.matrix, keyRows, queryRows, y },
		params: {
			heads,
			headVectors: headSize / 4,
			sequences,
			queries,
			queryRowsPerSequence,
			keyRowsPerSequence: request.keyRowsPerSequence,
			queryStride: q.width / 4,
			queryColumn: q.column / 4,
			keyStride: k.width / 4,
			keyColumn: k.column / 4,
			valueStride: v.width / 4,
			valueColumn: v.column / 4,
			outputStride: y.shape[1] / 4,
			scale,
		},
		workgroups: foldedWorkgroups(Math.ceil((sequences * queries * heads) / workgroupSize)),
	});
	return y;
}

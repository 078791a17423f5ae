import { describe, elementBytes, elementCount, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { allFit, bindingLimit, tooLarge } from "../../graph/windows.ts";
import { type AttentionOperands, checkedOperands, type OperandMatrix } from "./attentionOperands.ts";
import { gatherRows, invertedRows } from "./gatherRows.ts";

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
 * headSize] or `into`; rows of a new output that no query names are undefined. Beyond one
 * binding the tables must be constants of the graph.
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
	if (!allFit(graph, [q.matrix, k.matrix, v.matrix, y])) {
		fewKeysInParts(graph, { request, q, k, v, y, scale, queries, keys, queryRowsPerSequence, label });
		return y;
	}
	const threadsPerHead = Math.min(8, 2 ** Math.floor(Math.log2(headSize / 4)));
	graph.dispatch({
		shader: "dense/attentionFewKeys",
		label,
		aliases: { Query: q.tensor.dtype, Key: k.tensor.dtype, Value: v.tensor.dtype, Output: y.dtype },
		overrides: { keys, hasQueryRows: queryRows !== undefined, workgroupSize, threadsPerHead },
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
		workgroups: foldedWorkgroups(Math.ceil((sequences * queries * heads * threadsPerHead) / workgroupSize)),
	});
	return y;
}

interface Call {
	readonly request: AttentionFewKeysRequest;
	readonly q: OperandMatrix;
	readonly k: OperandMatrix;
	readonly v: OperandMatrix;
	readonly y: Tensor;
	readonly scale: number;
	readonly queries: number;
	readonly keys: number;
	readonly queryRowsPerSequence: number;
	readonly label: string;
}

/** Some queries at a time: their rows and those of their keys are copied together, the results back. */
function fewKeysInParts(graph: Graph, call: Call): void {
	const { request, q, k, v, y, queries, keys, label } = call;
	const { keyRows, queryRows, sequences, keyRowsPerSequence } = request;
	const keyTable = graph.constantOf(keyRows);
	const queryTable = queryRows && graph.constantOf(queryRows);
	if (keyTable === undefined || (queryRows && !queryTable)) throw tooLarge(graph, [q.matrix, k.matrix, v.matrix, y], q.rows);
	const rowOfQuery = (position: number) =>
		Math.floor(position / queries) * call.queryRowsPerSequence + (queryTable ? queryTable.values[position % queries] : position % queries);
	const rowOfKey = (position: number, key: number) => {
		const row = keyTable.values[(position % queries) * keys + key];
		return row < 0 ? -1 : row + Math.floor(position / queries) * keyRowsPerSequence;
	};
	const bytes = ({ matrix }: OperandMatrix) => matrix.shape[1] * elementBytes(matrix.dtype);
	const step = Math.floor(bindingLimit(graph) / Math.max(bytes(q), y.shape[1] * elementBytes(y.dtype), keys * bytes(k), keys * bytes(v)));
	if (step === 0) throw tooLarge(graph, [k.matrix, v.matrix], keys);
	const total = sequences * queries;
	for (let first = 0; first < total; first += step) {
		const count = Math.min(step, total - first);
		const name = `few keys of ${keyTable.key} ${queryTable?.key ?? ""} ${sequences} x ${queries} ${call.queryRowsPerSequence} ${keyRowsPerSequence} from ${first}`;
		const ofQueries = () => Int32Array.from({ length: count }, (_, i) => rowOfQuery(first + i));
		const ofKeys = () => Int32Array.from({ length: count * keys }, (_, i) => rowOfKey(first + Math.floor(i / keys), i % keys));
		const queryIndices = graph.constant(`${name} queries`, "i32", [count], ofQueries);
		const keyIndices = graph.constant(`${name} keys`, "i32", [count * keys], ofKeys);
		const rows = (x: Tensor, indices: Tensor) => gatherRows(graph, { x, indices, label: `${label} rows` });
		const keyPart = rows(k.matrix, keyIndices);
		const result = attentionFewKeys(graph, {
			q: { tensor: rows(q.matrix, queryIndices), column: q.column },
			k: { tensor: keyPart, column: k.column },
			v: { tensor: sameRows(k, v) ? keyPart : rows(v.matrix, keyIndices), column: v.column },
			heads: request.heads,
			headSize: request.headSize,
			scale: call.scale,
			outputDtype: y.dtype,
			sequences: 1,
			keyRows: graph.constant(`${name} copied`, "i32", [count, keys], () => ofKeys().map((row, i) => (row < 0 ? -1 : i))),
			keyRowsPerSequence: 0,
			label,
		});
		const back = graph.constant(`${name} of ${y.shape[0]} back`, "i32", [y.shape[0]], () => invertedRows(ofQueries(), y.shape[0]));
		gatherRows(graph, { x: result, indices: back, into: { tensor: y }, keep: true, label: `${label} back` });
	}
}

function sameRows(a: OperandMatrix, b: OperandMatrix): boolean {
	return a.matrix.storage === b.matrix.storage && a.matrix.byteOffset === b.matrix.byteOffset && a.width === b.width;
}

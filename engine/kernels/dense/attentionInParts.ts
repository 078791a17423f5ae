import { elementBytes, elementCount, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { alignedRows, allFit, bindingLimit, tooLarge } from "../../graph/windows.ts";
import type { AttentionRequest } from "./attention.ts";
import type { checkedOperands, OperandMatrix } from "./attentionOperands.ts";
import { copyColumns } from "./copyColumns.ts";
import { gatherRows, invertedRows } from "./gatherRows.ts";

/** A call of `attention`: what it was asked for and what `checkedOperands` made of it. */
export interface AttentionCall {
	readonly request: AttentionRequest;
	readonly operands: ReturnType<typeof checkedOperands>;
	readonly keySequences: number;
	readonly label: string;
}

/** Positions of the queries and keys of one sequence. */
interface Sequence {
	readonly queries: readonly [start: number, end: number];
	readonly keys: readonly [start: number, end: number];
}

/**
 * `attention` where its tensors are beyond one binding and sequences are no runs of rows, or too long ones: a few sequences at a time (or
 * some heads of one) are copied together, attended to by `attend`, and copied back. Same sums in the same order, unless attentionKeyParts.ts
 * divides a call otherwise than the whole. Row tables and windows must be constants of the graph. Throws code "memory" where one head of one sequence does not fit.
 */
export function attentionInParts(graph: Graph, call: AttentionCall, attend: (graph: Graph, request: AttentionRequest) => Tensor): void {
	const { request, operands, label } = call;
	const { q, k, v, y } = operands;
	const queryTable = rowTable(graph, request.queryRows, q.matrix);
	const keyTable = rowTable(graph, request.keyRows, k.matrix);
	const offsets = request.windows && rowTable(graph, request.windows.offsets, q.matrix);
	const sequences = sequencesOf(call, offsets?.values);
	const limit = bindingLimit(graph);
	const bytes = (tensor: Tensor, rows: number) => rows * tensor.shape[1] * elementBytes(tensor.dtype);
	for (let first = 0; first < sequences.length; ) {
		// As many sequences as one binding shows of each operand.
		let [count, queries, keys] = [0, 0, 0];
		for (const { queries: ofQueries, keys: ofKeys } of sequences.slice(first)) {
			const [moreQueries, moreKeys] = [queries + ofQueries[1] - ofQueries[0], keys + ofKeys[1] - ofKeys[0]];
			const fits =
				[q.matrix, y].every((t) => bytes(t, moreQueries) <= limit) && [k.matrix, v.matrix].every((t) => bytes(t, moreKeys) <= limit);
			if (!fits && count > 0) break;
			[count, queries, keys] = [count + 1, moreQueries, moreKeys];
			if (!fits) break;
		}
		const group = sequences.slice(first, first + count);
		const name = `${label} ${request.sequences} from ${first}`;
		const queryRows = rowsNamed(
			queryTable,
			group.map(({ queries: range }) => range),
		);
		const keyRows = rowsNamed(
			keyTable,
			group.map(({ keys: range }) => range),
		);
		const copies: Copy[] = [];
		const part = ({ matrix }: OperandMatrix, rows: NamedRows) => packed(graph, copies, matrix, rows, label);
		const own: AttentionRequest = {
			q: { tensor: part(q, queryRows), column: q.column },
			k: { tensor: part(k, keyRows), column: k.column },
			v: { tensor: part(v, keyRows), column: v.column },
			heads: request.heads,
			headSize: request.headSize,
			scale: operands.scale,
			label,
			sequences: count,
			queries: request.queries,
			keys: request.keys,
			...(request.windows && {
				windows: {
					offsets: graph.constant(`${name} offsets`, "u32", [count + 1], () =>
						Uint32Array.from(
							{ length: count + 1 },
							(_, i) => (i < count ? group[i].queries[0] : group[count - 1].queries[1]) - group[0].queries[0],
						),
					),
					largest: request.windows.largest,
				},
			}),
		};
		if (queries > 0) {
			const result = graph.tensor(`${label} part`, y.dtype, [queries, y.shape[1]]);
			if (allFit(graph, [own.q.tensor, own.k.tensor, own.v.tensor, result])) attend(graph, { ...own, into: result });
			else byHeads(graph, own, result, keys, attend);
			const back = graph.constant(`${queryRows.key} of ${y.shape[0]} back`, "i32", [y.shape[0]], () =>
				invertedRows(queryRows.values(), y.shape[0]),
			);
			gatherRows(graph, { x: result, indices: back, into: { tensor: y }, keep: true, label: `${label} back` });
		}
		first += count;
	}
}

/** One sequence, as many heads at a time as one binding shows. */
function byHeads(
	graph: Graph,
	request: AttentionRequest,
	result: Tensor,
	keys: number,
	attend: (graph: Graph, request: AttentionRequest) => Tensor,
): void {
	const { q, k, v, heads, headSize } = request;
	const label = request.label ?? "attention";
	const rows = Math.max(keys, result.shape[0]);
	const headBytes = rows * headSize * Math.max(...[q.tensor, k.tensor, v.tensor, result].map(({ dtype }) => elementBytes(dtype)));
	const most = Math.floor(bindingLimit(graph) / headBytes);
	if (most === 0) throw tooLarge(graph, [{ ...result, shape: [rows, headSize] }], rows);
	for (let head = 0; head < heads; head += most) {
		const columns = Math.min(most, heads - head) * headSize;
		const some = ({ tensor, column = 0 }: AttentionRequest["q"]) => {
			const into = graph.tensor(`${label} heads`, tensor.dtype, [elementCount(tensor.shape) / (tensor.shape.at(-1) ?? 1), columns]);
			return {
				tensor: copyColumns(graph, {
					x: tensor,
					xColumn: column + head * headSize,
					columns,
					into: { tensor: into },
					label: `${label} heads`,
				}),
			};
		};
		const y = graph.tensor(`${label} heads`, result.dtype, [result.shape[0], columns]);
		attend(graph, { ...request, q: some(q), k: some(k), v: some(v), heads: columns / headSize, into: y });
		copyColumns(graph, { x: y, into: { tensor: result, column: head * headSize }, label: `${label} heads back` });
	}
}

/** A row of a matrix for each position: the position itself, or what a table says. */
interface RowTable {
	readonly key: string;
	readonly values: ((position: number) => number) | undefined;
}

function rowTable(graph: Graph, table: Tensor | undefined, matrix: Tensor): RowTable {
	if (table === undefined) return { key: "", values: undefined };
	const constant = graph.constantOf(table);
	if (constant === undefined) throw tooLarge(graph, [matrix], matrix.shape[0]);
	return { key: constant.key, values: (position) => constant.values[position] };
}

function sequencesOf({ request, keySequences }: AttentionCall, offsets: RowTable["values"]): readonly Sequence[] {
	const { sequences, queries, keys } = request;
	return Array.from({ length: sequences }, (_, s): Sequence => {
		if (offsets) return { queries: [offsets(s), offsets(s + 1)], keys: [offsets(s), offsets(s + 1)] };
		const ofKeys = s % keySequences;
		return { queries: [s * queries, (s + 1) * queries], keys: [ofKeys * keys, (ofKeys + 1) * keys] };
	});
}

/** Rows of a matrix copied together. */
interface Copy {
	readonly matrix: Tensor;
	readonly rows: NamedRows;
	readonly tensor: Tensor;
}

/** Rows of a matrix, in order. */
interface NamedRows {
	/** Names positions and table: the same rows have the same key. */
	readonly key: string;
	readonly count: number;
	/** Where they are consecutive, the first. */
	readonly first: number | undefined;
	readonly values: () => Int32Array<ArrayBuffer>;
}

function rowsNamed(table: RowTable, ranges: readonly (readonly [number, number])[]): NamedRows {
	const count = ranges.reduce((sum, [start, end]) => sum + end - start, 0);
	const consecutive = table.values === undefined && ranges.every(([start], i) => i === 0 || start === ranges[i - 1][1]);
	return {
		key: `rows ${merged(ranges)} ${table.key === "" ? "" : `of ${table.key}`}`,
		count,
		first: consecutive ? ranges[0][0] : undefined,
		values: () => {
			const rows = new Int32Array(count);
			let at = 0;
			for (const [start, end] of ranges) {
				for (let position = start; position < end; position++) rows[at++] = table.values ? table.values(position) : position;
			}
			return rows;
		},
	};
}

/** "0 .. 96, 192 .. 288": ranges with neighbours joined. */
function merged(ranges: readonly (readonly [number, number])[]): string {
	const joined: [number, number][] = [];
	for (const [start, end] of ranges) {
		const last = joined.at(-1);
		if (last !== undefined && last[1] === start) last[1] = end;
		else joined.push([start, end]);
	}
	return joined.map(([start, end]) => `${start} .. ${end}`).join(", ");
}

/** Those rows of a matrix side by side: a view where they are consecutive and aligned, else a copy, made once for operands that share it. */
function packed(graph: Graph, copies: Copy[], matrix: Tensor, rows: NamedRows, label: string): Tensor {
	if (rows.first !== undefined && rows.first % alignedRows([matrix]) === 0) return rowsOf(matrix, rows.first, rows.count);
	const same = copies.find(
		(copy) => copy.matrix.storage === matrix.storage && copy.matrix.byteOffset === matrix.byteOffset && copy.rows.key === rows.key,
	);
	if (same !== undefined) return same.tensor;
	const indices = graph.constant(rows.key, "i32", [rows.count], rows.values);
	const tensor = gatherRows(graph, { x: matrix, indices, label: `${label} rows` });
	copies.push({ matrix, rows, tensor });
	return tensor;
}

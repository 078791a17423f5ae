import type { Device } from "../../engine/gpu/device.ts";
import type { Tensor } from "../../engine/gpu/tensor.ts";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import type { Graph } from "../../engine/graph/graph.ts";
import { attention } from "../../engine/kernels/dense/attention.ts";
import { randomValues } from "./gpu.ts";

/** One use of `attention` with heads of 64 or 80 in f16, recorded alike on any device. */
export interface AttentionCase {
	readonly name: string;
	/** Also run with emulated matrices, which software drivers compile for seconds. */
	readonly emulated?: true;
	/** Some query tiles are computed in parts of the keys. */
	readonly inParts?: true;
	readonly record: (device: Device, graph: Graph) => Tensor;
}

const size = 64;
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** f16 [rows, width]; with `growth`, later rows are larger, so that the largest score grows from tile to tile. */
function values(device: Device, rows: number, width: number, seed: number, scale: number, growth = 0): Tensor {
	const spread = randomValues(rows * width, seed, scale);
	for (let i = 0; i < spread.length; i++) spread[i] *= 1 + (growth * Math.floor(i / width)) / rows;
	return residentTensor(device, "values", "f16", [rows, width], spread);
}

function table(device: Device, rows: readonly number[]): Tensor {
	return residentTensor(device, "rows", "u32", [rows.length], Uint32Array.from(rows));
}

/** Ways to call attention that a kernel for heads of 64 and 80 must serve. */
export const attentionCases: readonly AttentionCase[] = [
	{
		name: "one fused matrix, ragged last tiles",
		record(device, graph) {
			const [heads, rows] = [2, 300];
			const tensor = values(device, 2 * rows, 3 * heads * size + 8, 1, 3);
			const operands = { q: { tensor, column: 8 }, k: { tensor, column: 8 + heads * size }, v: { tensor, column: 8 + 2 * heads * size } };
			return attention(graph, { ...operands, heads, headSize: size, sequences: 2, queries: rows, keys: rows, outputDtype: "f32" });
		},
	},
	{
		name: "growing scores, many keys, a scale",
		inParts: true,
		record(device, graph) {
			const [queries, keys] = [33, 1374];
			const q = { tensor: values(device, queries, size, 1, 6) };
			const kv = values(device, keys, 2 * size, 2, 1, 4);
			const operands = { q, k: { tensor: kv }, v: { tensor: kv, column: size } };
			return attention(graph, { ...operands, heads: 1, headSize: size, sequences: 1, queries, keys, scale: 0.4, outputDtype: "f32" });
		},
	},
	{
		name: "few key sequences shared by many",
		record(device, graph) {
			const [heads, sequences, keySequences, queries, keys] = [3, 4, 2, 130, 77];
			const kv = values(device, keySequences * keys, 2 * heads * size, 2, 3);
			const operands = {
				q: { tensor: values(device, sequences * queries, heads * size, 1, 3) },
				k: { tensor: kv },
				v: { tensor: kv, column: heads * size },
			};
			return attention(graph, { ...operands, heads, headSize: size, sequences, keySequences, queries, keys });
		},
	},
	{
		name: "one key",
		record(device, graph) {
			const tensor = values(device, 40, size, 1, 3);
			const operands = { q: { tensor }, k: { tensor: values(device, 1, size, 2, 3) }, v: { tensor: values(device, 1, size, 3, 3) } };
			return attention(graph, { ...operands, heads: 1, headSize: size, sequences: 1, queries: 40, keys: 1, outputDtype: "f32" });
		},
	},
	{
		name: "row tables, other rows untouched",
		record(device, graph) {
			// [view, row, column], the last view left out: sequence r holds row r of views 0 and 1.
			const [views, height, width, heads] = [3, 5, 24, 2];
			const rows = views * height * width;
			const sequences = range(height).map((r) => [0, 1].flatMap((view) => range(width).map((x) => (view * height + r) * width + x)));
			const [q, k, v, into] = [1, 2, 3, 4].map((seed) => values(device, rows, heads * size, seed, 2));
			const queryRows = table(device, sequences.flat());
			const rowTables = { queryRows, keyRows: table(device, sequences.flat()), into };
			const positions = { sequences: height, queries: 2 * width, keys: 2 * width };
			return attention(graph, { q: { tensor: q }, k: { tensor: k }, v: { tensor: v }, heads, headSize: size, ...positions, ...rowTables });
		},
	},
	{
		name: "windows of unequal lengths over permuted rows",
		record(device, graph) {
			const sequences = 6; // of 1, 70, 0, 257, 64, 300
			const offsets = [0, 1, 71, 71, 328, 392, 692];
			const rows = 692;
			const order = range(rows).map((i) => (i * 37) % rows);
			const [q, k, v] = [1, 2, 3].map((seed) => ({ tensor: values(device, rows, 2 * size, seed, 3) }));
			const windows = { offsets: table(device, offsets), largest: 300 };
			const rowTables = { queryRows: table(device, order), keyRows: table(device, order) };
			const positions = { sequences, queries: 0, keys: 0 };
			return attention(graph, { q, k, v, heads: 2, headSize: size, ...positions, windows, ...rowTables, outputDtype: "f32" });
		},
	},
	{
		name: "heads of 80, an odd number of tokens, growing scores",
		emulated: true,
		record(device, graph) {
			const [heads, rows, size] = [2, 257, 80];
			const tensor = values(device, rows, 3 * heads * size, 1, 2, 3);
			const operands = { q: { tensor }, k: { tensor, column: heads * size }, v: { tensor, column: 2 * heads * size } };
			return attention(graph, { ...operands, heads, headSize: size, sequences: 1, queries: rows, keys: rows, outputDtype: "f32" });
		},
	},
	{
		name: "a tile of queries and one more, a tile of keys and one more",
		record(device, graph) {
			const [queries, keys] = [129, 17];
			const kv = values(device, 2 * keys, 2 * size, 2, 3);
			const operands = { q: { tensor: values(device, 2 * queries, size, 1, 3) }, k: { tensor: kv }, v: { tensor: kv, column: size } };
			return attention(graph, { ...operands, heads: 1, headSize: size, sequences: 2, queries, keys });
		},
	},
	{
		name: "one tile of queries, keys in parts, ragged",
		emulated: true,
		inParts: true,
		record(device, graph) {
			const [queries, keys] = [20, 650];
			const kv = values(device, keys, 2 * size, 2, 1, 4);
			const operands = { q: { tensor: values(device, queries, size, 1, 6) }, k: { tensor: kv }, v: { tensor: kv, column: size } };
			return attention(graph, { ...operands, heads: 1, headSize: size, sequences: 1, queries, keys });
		},
	},
	{
		name: "a GPU full of query tiles and four more",
		inParts: true,
		record(device, graph) {
			const [sequences, queries, keys] = [100, 500, 1374];
			const kv = values(device, keys, 2 * size, 2, 2);
			const operands = {
				q: { tensor: values(device, sequences * queries, size, 1, 2) },
				k: { tensor: kv },
				v: { tensor: kv, column: size },
			};
			return attention(graph, { ...operands, heads: 1, headSize: size, sequences, keySequences: 1, queries, keys });
		},
	},
	{
		name: "whole tiles of keys, growing scores",
		emulated: true,
		record(device, graph) {
			const [heads, rows] = [2, 160];
			const tensor = values(device, 2 * rows, 3 * heads * size, 1, 2, 3);
			const operands = { q: { tensor }, k: { tensor, column: heads * size }, v: { tensor, column: 2 * heads * size } };
			return attention(graph, { ...operands, heads, headSize: size, sequences: 2, queries: rows, keys: rows });
		},
	},
];

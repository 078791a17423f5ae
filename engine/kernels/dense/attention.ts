import type { DeviceReport } from "../../gpu/device.ts";
import { describe, elementCount, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { allFit, forEachWindow, windowRows } from "../../graph/windows.ts";
import { attentionInParts } from "./attentionInParts.ts";
import { type Attended, attentionKeyParts, chooseDivision } from "./attentionKeyParts.ts";
import { type AttentionOperands, checkedOperands, type OperandMatrix } from "./attentionOperands.ts";
import { hasSubgroupMatrices } from "./subgroupMatrix.ts";

/** Sequences of unequal lengths, queries and keys alike. */
export interface AttentionWindows {
	/** u32 [sequences + 1]: sequence s owns the positions offsets[s] .. offsets[s + 1]. */
	readonly offsets: Tensor;
	/** The largest length among them. */
	readonly largest: number;
}

/** Attention of every query to all keys of its sequence. */
export interface AttentionRequest extends AttentionOperands {
	readonly sequences: number;
	/** Queries of a sequence. Position i of sequence s is row s * queries + i of q and of the output. Unused with `windows`. */
	readonly queries: number;
	/** Keys of a sequence, numbered likewise; at least one. Unused with `windows`. */
	readonly keys: number;
	/** Sequence s reads the keys of sequence s mod keySequences (text shared by the halves of guidance); default: sequences. */
	readonly keySequences?: number | undefined;
	/** u32 [positions]: the row of q and of the output of each query position, where that is not the position itself. */
	readonly queryRows?: Tensor | undefined;
	/** u32 [positions]: the row of k and v of each key position. */
	readonly keyRows?: Tensor | undefined;
	/** Positions per sequence from a table instead of `queries` and `keys`. */
	readonly windows?: AttentionWindows | undefined;
}

/**
 * Multi-head attention softmax(scale q k^T) v, statistics and sums in f32, no mask; torch: F.scaled_dot_product_attention. Head sizes
 * are multiples of 4 up to 512. Returns [rows of q, heads * headSize] or `into`; rows of a new output that `queryRows` does not name
 * are undefined. Tensors beyond one binding are split by sequences, or copied a part at a time. Throws where shapes do not fit.
 */
export function attention(graph: Graph, request: AttentionRequest): Tensor {
	const { sequences, queryRows, keyRows, windows } = request;
	const label = request.label ?? "attention";
	const where = `${graph.path}/${label}`;
	const operands = checkedOperands(graph, where, request);
	const { q, k, v, y, scale } = operands;
	const queries = windows?.largest ?? request.queries;
	const keys = windows?.largest ?? request.keys;
	const keySequences = windows ? sequences : (request.keySequences ?? sequences);
	if (sequences > 0 && queries > 0 && (keys < 1 || keySequences < 1))
		throw new Error(`${where}: sequences must have keys, got ${keySequences} x ${keys}`);
	if (windows && elementCount(windows.offsets.shape) !== sequences + 1) {
		throw new Error(`${where}: offsets must be [${sequences + 1}], got ${describe(windows.offsets)}`);
	}
	if (!windows) {
		checkPositions(where, "queryRows", queryRows, "q", q.rows, sequences * queries);
		checkPositions(where, "keyRows", keyRows, "k and v", Math.min(k.rows, v.rows), keySequences * keys);
	}
	const onMatrices = queries > 16 && scale > 0 && runsOnSubgroupMatrices(graph.device.report, request.headSize, [q, k, v]);
	const runs = !windows && !queryRows && !keyRows;
	const kernel = onMatrices
		? matrixKernel(request.headSize, runs && keys % 16 === 0)
		: attentionKernel(graph.device.report, request.headSize);
	// Strides and columns count the vectors that the kernel loads.
	const inVectors = (columns: number) => columns / (onMatrices ? 8 : 4);
	const queryTiles = Math.ceil(queries / kernel.queriesPerWorkgroup);
	// Decided over all sequences, so that windows of them give the same bytes.
	const division = onMatrices && runs ? chooseDivision(graph, queryTiles * request.heads * sequences, keys, request.headSize) : undefined;
	const record = (start: number, count: number, tensors: Attended, firstSequence: number, keySequences: number) => {
		const tiles = queryTiles * request.heads * count;
		const wholeTiles = division ? Math.max(0, Math.min(tiles, division.wholeTiles - queryTiles * request.heads * start)) : tiles;
		const params = {
			heads: request.heads,
			headVectors: inVectors(request.headSize),
			sequences: count,
			firstSequence,
			keySequences,
			queries,
			keys,
			queryTiles,
			queryStride: inVectors(q.width),
			queryColumn: inVectors(q.column),
			keyStride: inVectors(k.width),
			keyColumn: inVectors(k.column),
			valueStride: inVectors(v.width),
			valueColumn: inVectors(v.column),
			outputStride: y.shape[1] / 4,
			wholeTiles,
			parts: division?.parts ?? 1,
			scale: scale * Math.LOG2E,
		};
		const overrides = {
			...kernel.overrides,
			hasQueryRows: queryRows !== undefined,
			hasKeyRows: keyRows !== undefined,
			hasWindows: windows !== undefined,
		};
		if (wholeTiles < tiles) {
			attentionKeyParts(graph, { label, tensors, params, tiles, headSize: request.headSize });
			return;
		}
		graph.dispatch({
			shader: kernel.shader,
			label,
			aliases: { Output: y.dtype, ...(!onMatrices && { Query: q.tensor.dtype, Key: k.tensor.dtype, Value: v.tensor.dtype }) },
			overrides,
			tensors: { ...tensors, queryRows, keyRows, offsets: windows?.offsets },
			mayBlock: onMatrices ? ["y"] : [],
			params,
			workgroups: foldedWorkgroups(tiles),
		});
	};
	const whole = { q: q.matrix, k: k.matrix, v: v.matrix, y };
	if (allFit(graph, Object.values(whole))) {
		record(0, sequences, whole, 0, keySequences);
		return y;
	}
	// Rows named by a table can lie anywhere: only sequences that are runs of rows can be windows of the tensors.
	const bySequence = (tensor: Tensor, rows: number): Tensor => ({ ...tensor, shape: [sequences, rows, tensor.shape[1]] });
	const ownKeys = !keyRows && keySequences === sequences;
	const queryWindows = [bySequence(q.matrix, queries), bySequence(y, queries)];
	const keyWindows = ownKeys ? [bySequence(k.matrix, keys), bySequence(v.matrix, keys)] : [];
	const inWindows = !windows && !queryRows && q.rows === sequences * queries && (!ownKeys || k.rows === sequences * keys);
	const all = [...queryWindows, ...keyWindows];
	if (!inWindows || !(ownKeys || allFit(graph, [k.matrix, v.matrix])) || windowRows(graph, sequences, all) === 0) {
		attentionInParts(graph, { request, operands, keySequences, label }, attention);
		return y;
	}
	forEachWindow(graph, sequences, all, (first, count) => {
		const [qPart, yPart] = queryWindows.map((tensor) => rowsOf(tensor, first, count));
		const [kPart = k.matrix, vPart = v.matrix] = keyWindows.map((tensor) => rowsOf(tensor, first, count));
		const part = { q: qPart, k: kPart, v: vPart, y: yPart };
		if (ownKeys) record(first, count, part, 0, count);
		else record(first, count, part, first, keySequences);
	});
	return y;
}

/** A kernel for `attention`'s bindings and Params, with what the head size decides. */
interface AttentionKernel {
	readonly shader: string;
	readonly overrides: Readonly<Record<string, number | boolean>>;
	readonly queriesPerWorkgroup: number;
}

/** Heads of 64 and 80 in f16 on subgroup matrices. */
function matrixKernel(headSize: number, wholeKeyTiles: boolean): AttentionKernel {
	return { shader: "dense/attentionSubgroupMatrix", overrides: { headBlocks: headSize / 16, wholeKeyTiles }, queriesPerWorkgroup: 128 };
}

function runsOnSubgroupMatrices(report: DeviceReport, headSize: number, operands: readonly OperandMatrix[]): boolean {
	return (
		hasSubgroupMatrices(report) &&
		(headSize === 64 || headSize === 80) &&
		operands.every(({ tensor, width, column }) => tensor.dtype === "f16" && width % 8 === 0 && column % 8 === 0)
	);
}

/** The portable kernel and its tile, by head size and device. */
function attentionKernel(report: DeviceReport, headSize: number): AttentionKernel {
	if (report.software && headSize <= 8)
		return { shader: "dense/attentionNarrow", overrides: { headVectors: headSize / 4 }, queriesPerWorkgroup: 64 };
	if (headSize > 128) return { shader: "dense/attentionWide", overrides: {}, queriesPerWorkgroup: 16 };
	const vectorsPerThread = Math.ceil(headSize / 32);
	// A software driver compiles for seconds, longer the more a thread does.
	const rowsPerThread = report.software ? 4 : 8;
	// Bytes of workgroup memory: rows of queries, scores and factors beside a tile of 32 keys.
	const bytes = (rows: number) => rows * ((8 * vectorsPerThread + 1) * 16 + 9 * 16 + 4) + 4 * 9 * 8 * vectorsPerThread * 16;
	const threadsY = [8, 4, 2].find((y) => bytes(rowsPerThread * y) <= report.limits.maxComputeWorkgroupStorageSize) ?? 1;
	return {
		shader: "dense/attention",
		overrides: { rowsPerThread, threadsY, vectorsPerThread },
		queriesPerWorkgroup: rowsPerThread * threadsY,
	};
}

function checkPositions(where: string, tableName: string, table: Tensor | undefined, name: string, rows: number, positions: number): void {
	if (table === undefined && rows < positions) throw new Error(`${where}: ${name} must have ${positions} rows, got ${rows}`);
	if (table !== undefined && elementCount(table.shape) !== positions)
		throw new Error(`${where}: ${tableName} must be [${positions}], got ${describe(table)}`);
}

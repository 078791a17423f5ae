import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { attentionFewKeys } from "../../../engine/kernels/dense/attentionFewKeys.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** Softmax attention of one head of one query to the given rows, in f64; zeros for no rows. All matrices have `columns` columns. */
function referenceHead(
	q: ArrayLike<number>,
	k: ArrayLike<number>,
	v: ArrayLike<number>,
	columns: number,
	head: number,
	size: number,
	row: number,
	keys: readonly number[],
): number[] {
	const scores = keys.map((key) => {
		let sum = 0;
		for (let i = 0; i < size; i++) sum += q[row * columns + head * size + i] * k[key * columns + head * size + i];
		return sum / Math.sqrt(size);
	});
	const weights = scores.map((score) => Math.exp(score - Math.max(...scores)));
	const total = weights.reduce((a, b) => a + b, 0);
	return Array.from({ length: size }, (_, i) =>
		keys.length === 0 ? 0 : keys.reduce((sum, key, j) => sum + weights[j] * v[key * columns + head * size + i], 0) / total,
	);
}

describe("attentionFewKeys", () => {
	for (const [dtype, sequences, queries, keys, heads, size, keyRowsPerSequence] of [
		["f32", 1, 1, 1, 1, 4, 0],
		["f32", 2, 37, 4, 2, 16, 21],
		["f16", 2, 37, 4, 2, 16, 21],
		["f32", 3, 11, 12, 3, 64, 0],
		["f32", 1, 9, 16, 1, 12, 0],
	] as const) {
		it(`is attention of ${sequences} x ${queries} queries to ${keys} gathered keys each, ${heads} heads of ${size}, ${dtype}`, async () => {
			const columns = heads * size;
			const rowsOfKeys = 21 + (sequences - 1) * keyRowsPerSequence;
			const make = (count: number, seed: number, scale: number) => {
				const values = randomValues(count, seed, scale);
				return dtype === "f16" ? float16ToFloat32(float32ToFloat16(values)) : values;
			};
			const [q, k, v] = [make(sequences * queries * columns, 1, 3), make(rowsOfKeys * columns, 2, 3), make(rowsOfKeys * columns, 3, 1)];
			// Every third entry is no key; the second query has none at all.
			const table = Int32Array.from({ length: queries * keys }, (_, i) =>
				Math.floor(i / keys) === 1 || (i % 3 === 2 && keys > 1) ? -1 : (i * 13) % 21,
			);
			const [y] = await runGraph(device, (graph) =>
				attentionFewKeys(graph, {
					q: { tensor: residentTensor(device, "q", dtype, [sequences * queries, columns], q) },
					k: { tensor: residentTensor(device, "k", dtype, [rowsOfKeys, columns], k) },
					v: { tensor: residentTensor(device, "v", dtype, [rowsOfKeys, columns], v) },
					heads,
					headSize: size,
					sequences,
					keyRows: residentTensor(device, "keyRows", "i32", [queries, keys], table),
					keyRowsPerSequence,
					outputDtype: "f32",
				}),
			);
			const expected: number[] = [];
			for (let row = 0; row < sequences * queries; row++) {
				const query = row % queries;
				const rows = [...table.subarray(query * keys, (query + 1) * keys)]
					.filter((key) => key >= 0)
					.map((key) => key + Math.floor(row / queries) * keyRowsPerSequence);
				for (let head = 0; head < heads; head++) expected.push(...referenceHead(q, k, v, columns, head, size, row, rows));
			}
			expect(nmse(y, expected)).toBeLessThan(1e-11);
		});
	}

	it("reads fused columns, takes queries by a table with gaps and leaves other rows of the output as they are", async () => {
		const [sequences, size, width] = [2, 8, 16];
		const rows = sequences * 10;
		const q = randomValues(rows * size, 1, 2);
		const kv = randomValues(6 * width, 2, 2);
		const before = randomValues(rows * size, 3);
		const queryRows = Uint32Array.of(7, 2, 3);
		const table = Int32Array.of(0, 5, 1, 4, 2, 3);
		const [y] = await runGraph(device, (graph) => {
			const tensor = residentTensor(device, "kv", "f32", [6, width], kv);
			return attentionFewKeys(graph, {
				q: { tensor: residentTensor(device, "q", "f32", [rows, size], q) },
				k: { tensor },
				v: { tensor, column: size },
				heads: 1,
				headSize: size,
				sequences,
				keyRows: residentTensor(device, "keyRows", "i32", [3, 2], table),
				keyRowsPerSequence: 0,
				queryRows: residentTensor(device, "queryRows", "u32", [3], queryRows),
				queryRowsPerSequence: 10,
				into: residentTensor(device, "y", "f32", [rows, size], before),
			});
		});
		const split = (column: number) =>
			Float32Array.from({ length: 6 * size }, (_, i) => kv[Math.floor(i / size) * width + column + (i % size)]);
		const expected = Float64Array.from(before);
		for (let sequence = 0; sequence < sequences; sequence++) {
			queryRows.forEach((queryRow, i) => {
				const row = queryRow + sequence * 10;
				expected.set(referenceHead(q, split(0), split(size), size, 0, size, row, [table[i * 2], table[i * 2 + 1]]), row * size);
			});
		}
		expect(nmse(y, expected)).toBeLessThan(1e-12);
		expect(y.subarray(0, 2 * size)).toEqual(before.subarray(0, 2 * size));
	});

	it("refuses tables that do not fit", async () => {
		const tensor = residentTensor(device, "x", "f32", [6, 8]);
		const run = (changed: object) =>
			runGraph(device, (graph) =>
				attentionFewKeys(graph, {
					q: { tensor },
					k: { tensor },
					v: { tensor },
					heads: 2,
					headSize: 4,
					sequences: 1,
					keyRows: residentTensor(device, "keyRows", "i32", [6, 4]),
					keyRowsPerSequence: 0,
					...changed,
				}),
			);
		await expect(run({ keyRows: residentTensor(device, "keyRows", "i32", [6, 17]) })).rejects.toThrow(/keyRows must be i32/);
		await expect(run({ sequences: 2 })).rejects.toThrow(/must have 12 rows/);
	});
});

import { describe, expect, it } from "vitest";
import { attention } from "../../../engine/kernels/dense/attention.ts";
import { attentionFewKeys } from "../../../engine/kernels/dense/attentionFewKeys.ts";
import { randomValues, wholeAndInWindows } from "../../support/gpu.ts";

const [heads, headSize] = [3, 8];
const columns = heads * headSize;

describe("attention beyond one binding", () => {
	it("a few sequences of a row table at a time, queries, keys and values in one f16 matrix", async () => {
		const [whole, parts] = await wholeAndInWindows(16384, (graph, tensor) => {
			const qkv = tensor("qkv", "f16", [120, 3 * columns], randomValues(120 * 3 * columns, 1, 2));
			const rows = graph.constant("rows", "u32", [120], () => Uint32Array.from({ length: 120 }, (_, i) => (i * 7) % 120));
			return attention(graph, {
				q: { tensor: qkv },
				k: { tensor: qkv, column: columns },
				v: { tensor: qkv, column: 2 * columns },
				heads,
				headSize,
				sequences: 6,
				queries: 20,
				keys: 20,
				queryRows: rows,
				keyRows: rows,
			});
		});
		expect(parts).toEqual(whole);
	});

	it("one head at a time where one sequence is too long", async () => {
		const [whole, parts] = await wholeAndInWindows(6400, (graph, tensor) => {
			const [q, k, v] = [1, 2, 3].map((seed) => tensor(`${seed}`, "f32", [140, columns], randomValues(140 * columns, seed, 2)));
			const request = { q: { tensor: q }, k: { tensor: k }, v: { tensor: v }, heads, headSize };
			return attention(graph, { ...request, sequences: 2, queries: 70, keys: 70, scale: 0.7 });
		});
		expect(parts).toEqual(whole);
	});

	it("windows of unequal lengths with row tables", async () => {
		const lengths = [3, 30, 1, 17, 40, 9];
		const total = lengths.reduce((a, b) => a + b, 0);
		const [whole, parts] = await wholeAndInWindows(6400, (graph, tensor) => {
			const offsets = graph.constant("offsets", "u32", [lengths.length + 1], () =>
				Uint32Array.from({ length: lengths.length + 1 }, (_, i) => lengths.slice(0, i).reduce((a, b) => a + b, 0)),
			);
			const rows = graph.constant("rows", "u32", [total], () => Uint32Array.from({ length: total }, (_, i) => (i * 11) % total));
			const [q, k, v] = [1, 2, 3].map((seed) => tensor(`${seed}`, "f32", [total, columns], randomValues(total * columns, seed, 2)));
			return attention(graph, {
				q: { tensor: q },
				k: { tensor: k },
				v: { tensor: v },
				heads,
				headSize,
				sequences: lengths.length,
				queries: 0,
				keys: 0,
				windows: { offsets, largest: 40 },
				queryRows: rows,
				keyRows: rows,
			});
		});
		expect(parts).toEqual(whole);
	});

	it("says so where a row table is no constant", async () => {
		const run = wholeAndInWindows(4096, (graph, tensor) => {
			const x = tensor("x", "f32", [120, columns], randomValues(120 * columns, 1));
			const rows = tensor("rows", "u32", [120], new Uint32Array(120));
			const operand = { tensor: x };
			return attention(graph, {
				...{ q: operand, k: operand, v: operand, heads, headSize, sequences: 6, queries: 20, keys: 20 },
				queryRows: rows,
				keyRows: rows,
			});
		});
		await expect(run).rejects.toThrow(/more than one binding can show/);
	});

	it("few keys, some queries at a time", async () => {
		const [whole, parts] = await wholeAndInWindows(8192, (graph, tensor) => {
			const [q, kv] = [1, 2].map((seed) => tensor(`${seed}`, "f32", [200, 2 * columns], randomValues(400 * columns, seed, 2)));
			return attentionFewKeys(graph, {
				q: { tensor: q, column: 4 },
				k: { tensor: kv },
				v: { tensor: kv, column: columns },
				heads,
				headSize,
				sequences: 2,
				keyRows: graph.constant("keys", "i32", [90, 4], () =>
					Int32Array.from({ length: 360 }, (_, i) => (i % 5 === 2 ? -1 : (i * 29) % 100)),
				),
				keyRowsPerSequence: 100,
				queryRows: graph.constant("queries", "u32", [90], () => Uint32Array.from({ length: 90 }, (_, i) => (i * 7) % 100)),
				queryRowsPerSequence: 100,
				into: tensor("y", "f32", [200, columns], new Float32Array(200 * columns)),
			});
		});
		expect(parts).toEqual(whole);
	});
});

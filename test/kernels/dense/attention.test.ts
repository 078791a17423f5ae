import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { attention } from "../../../engine/kernels/dense/attention.ts";
import { hasSubgroupMatrices } from "../../../engine/kernels/dense/subgroupMatrix.ts";
import { attentionReference, matrixOf, referenceRow } from "../../support/attentionReference.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const range = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i);

describe("attention", () => {
	const shapes = [
		// sequences, heads, queries, keys, head size
		[1, 1, 1, 1, 4],
		[2, 3, 5, 7, 8],
		[1, 2, 33, 32, 12],
		[3, 1, 65, 97, 16],
		[1, 2, 31, 77, 64],
		[2, 1, 64, 33, 68],
		[1, 2, 70, 40, 80],
		[1, 1, 20, 65, 128],
		[1, 1, 17, 37, 132],
		[1, 1, 33, 65, 512],
	] as const;
	for (const dtype of ["f32", "f16"] as const) {
		for (const [sequences, heads, queries, keys, size] of shapes) {
			if (dtype === "f16" && ![12, 64, 512].includes(size)) continue;
			it(`is softmax(q k^T) v for ${sequences} x ${heads} heads of ${size}, ${queries} queries, ${keys} keys in ${dtype}`, async () => {
				const columns = heads * size;
				const make = (rows: number, seed: number, scale: number) => {
					const values = randomValues(rows * columns, seed, scale);
					return dtype === "f16" ? float16ToFloat32(float32ToFloat16(values)) : values;
				};
				const [q, k, v] = [make(sequences * queries, 1, 3), make(sequences * keys, 2, 3), make(sequences * keys, 3, 1)];
				const [y] = await runGraph(device, (graph) =>
					attention(graph, {
						q: { tensor: residentTensor(device, "q", dtype, [sequences * queries, columns], q) },
						k: { tensor: residentTensor(device, "k", dtype, [sequences * keys, columns], k) },
						v: { tensor: residentTensor(device, "v", dtype, [sequences * keys, columns], v) },
						heads,
						headSize: size,
						sequences,
						queries,
						keys,
						outputDtype: "f32",
					}),
				);
				const expected = attentionReference(
					matrixOf(q, columns),
					matrixOf(k, columns),
					matrixOf(v, columns),
					sequences * queries,
					heads,
					size,
					(row) => range(Math.floor(row / queries) * keys, keys),
				);
				expect(nmse(y, expected)).toBeLessThan(dtype === "f16" && hasSubgroupMatrices(device.report) ? 1e-6 : 1e-11);
			});
		}
	}

	it("gives the same with the tile of a hardware device", async () => {
		const hardware = { ...device, report: { ...device.report, software: false } };
		const [rows, size] = [70, 40];
		const [q, k, v] = [1, 2, 3].map((seed) => randomValues(rows * size, seed, 3));
		const operand = (values: Float32Array) => ({ tensor: residentTensor(device, "x", "f32", [rows, size], values) });
		const [y] = await runGraph(hardware, (graph) =>
			attention(graph, { q: operand(q), k: operand(k), v: operand(v), heads: 1, headSize: size, sequences: 1, queries: rows, keys: rows }),
		);
		expect(
			nmse(
				y,
				attentionReference(matrixOf(q, size), matrixOf(k, size), matrixOf(v, size), rows, 1, size, () => range(0, rows)),
			),
		).toBeLessThan(1e-11);
	});

	it("reads q, k and v in place from one fused matrix and takes a scale", async () => {
		const [heads, size, rows] = [2, 16, 40];
		const width = 3 * heads * size + 4;
		const values = randomValues(rows * width, 1, 2);
		const [y] = await runGraph(device, (graph) => {
			const tensor = residentTensor(device, "qkv", "f32", [rows, width], values);
			return attention(graph, {
				q: { tensor, column: 4 },
				k: { tensor, column: 36 },
				v: { tensor, column: 68 },
				heads,
				headSize: size,
				scale: 0.7,
				sequences: 1,
				queries: rows,
				keys: rows,
			});
		});
		const expected = new Float64Array(rows * heads * size);
		for (let row = 0; row < rows; row++) {
			for (let head = 0; head < heads; head++) {
				expected.set(
					referenceRow(
						matrixOf(values, width, 4),
						matrixOf(values, width, 36),
						matrixOf(values, width, 68),
						head,
						size,
						row,
						range(0, rows),
						0.7,
					),
					(row * heads + head) * size,
				);
			}
		}
		expect(nmse(y, expected)).toBeLessThan(1e-11);
	});

	it("keeps large scores finite and exact: one key wins", async () => {
		const [keys, size] = [70, 8];
		const q = new Float32Array(size).fill(300);
		const k = Float32Array.from({ length: keys * size }, (_, i) => (Math.floor(i / size) === 41 ? 300 : -300));
		const v = randomValues(keys * size, 3);
		const [y] = await runGraph(device, (graph) =>
			attention(graph, {
				q: { tensor: residentTensor(device, "q", "f32", [1, size], q) },
				k: { tensor: residentTensor(device, "k", "f32", [keys, size], k) },
				v: { tensor: residentTensor(device, "v", "f32", [keys, size], v) },
				heads: 1,
				headSize: size,
				sequences: 1,
				queries: 1,
				keys,
			}),
		);
		expect([...y]).toEqual([...v.subarray(41 * size, 42 * size)]);
	});

	it("shares the keys of a few sequences among many", async () => {
		const [heads, size, sequences, keySequences, queries, keys] = [1, 16, 6, 3, 9, 5];
		const q = randomValues(sequences * queries * size, 1, 3);
		const k = randomValues(keySequences * keys * size, 2, 3);
		const v = randomValues(keySequences * keys * size, 3);
		const [y] = await runGraph(device, (graph) =>
			attention(graph, {
				q: { tensor: residentTensor(device, "q", "f32", [sequences * queries, size], q) },
				k: { tensor: residentTensor(device, "k", "f32", [keySequences * keys, size], k) },
				v: { tensor: residentTensor(device, "v", "f32", [keySequences * keys, size], v) },
				heads,
				headSize: size,
				sequences,
				queries,
				keys,
				keySequences,
			}),
		);
		const expected = attentionReference(matrixOf(q, size), matrixOf(k, size), matrixOf(v, size), sequences * queries, heads, size, (row) =>
			range((Math.floor(row / queries) % keySequences) * keys, keys),
		);
		expect(nmse(y, expected)).toBeLessThan(1e-11);
	});

	for (const size of [16, 40, 256]) {
		it(`attends over image rows of several views by row tables, other rows untouched, head size ${size}`, async () => {
			// [view, row, column], the last view left out: sequence r holds row r of views 0 and 1.
			const [views, height, width, heads] = [3, 5, 6, 1];
			const rows = views * height * width;
			const sequenceRows = range(0, height).map((r) => range(0, 2).flatMap((view) => range((view * height + r) * width, width)));
			const [q, k, v, before] = [1, 2, 3, 4].map((seed) => randomValues(rows * heads * size, seed, 2));
			const [y] = await runGraph(device, (graph) => {
				const table = () => residentTensor(device, "rows", "u32", [height * 2 * width], Uint32Array.from(sequenceRows.flat()));
				return attention(graph, {
					q: { tensor: residentTensor(device, "q", "f32", [views, height * width, heads * size], q) },
					k: { tensor: residentTensor(device, "k", "f32", [rows, heads * size], k) },
					v: { tensor: residentTensor(device, "v", "f32", [rows, heads * size], v) },
					heads,
					headSize: size,
					sequences: height,
					queries: 2 * width,
					keys: 2 * width,
					queryRows: table(),
					keyRows: table(),
					into: residentTensor(device, "y", "f32", [views, height * width, heads * size], before),
				});
			});
			const expected = attentionReference(
				matrixOf(q, heads * size),
				matrixOf(k, heads * size),
				matrixOf(v, heads * size),
				rows,
				heads,
				size,
				(row) => sequenceRows.find((sequence) => sequence.includes(row)),
			);
			const untouched = 2 * height * width * heads * size;
			expected.set(before.subarray(untouched), untouched);
			expect(nmse(y, expected)).toBeLessThan(1e-11);
			expect(y.subarray(untouched)).toEqual(before.subarray(untouched));
		});
	}

	for (const size of [12, 40]) {
		it(`attends within windows of unequal lengths, given by offsets and a table of rows, head size ${size}`, async () => {
			const lengths = [1, 70, 0, 33, 64];
			const heads = 2;
			const rows = lengths.reduce((a, b) => a + b, 0);
			const offsets = [0];
			for (const length of lengths) offsets.push(offsets[offsets.length - 1] + length);
			const order = range(0, rows).map((i) => (i * 37) % rows);
			const [q, k, v] = [1, 2, 3].map((seed) => randomValues(rows * heads * size, seed, 3));
			const operand = (values: Float32Array) => ({ tensor: residentTensor(device, "x", "f32", [rows, heads * size], values) });
			const windows = () => ({
				offsets: residentTensor(device, "offsets", "u32", [offsets.length], Uint32Array.from(offsets)),
				largest: 70,
			});
			const table = () => residentTensor(device, "rows", "u32", [rows], Uint32Array.from(order));
			const common = { heads, headSize: size, sequences: lengths.length, queries: 0, keys: 0 };
			const [direct, permuted] = await runGraph(device, (graph) => [
				attention(graph, { q: operand(q), k: operand(k), v: operand(v), ...common, windows: windows() }),
				attention(graph, {
					q: operand(q),
					k: operand(k),
					v: operand(v),
					...common,
					windows: windows(),
					queryRows: table(),
					keyRows: table(),
				}),
			]);
			const windowOf = (position: number) => lengths.findIndex((length, s) => position >= offsets[s] && position < offsets[s] + length);
			const keysOf = (position: number) => range(offsets[windowOf(position)], lengths[windowOf(position)]);
			const m = (values: Float32Array) => matrixOf(values, heads * size);
			expect(nmse(direct, attentionReference(m(q), m(k), m(v), rows, heads, size, keysOf))).toBeLessThan(1e-11);
			const expected = attentionReference(m(q), m(k), m(v), rows, heads, size, (row) =>
				keysOf(order.indexOf(row)).map((position) => order[position]),
			);
			expect(nmse(permuted, expected)).toBeLessThan(1e-11);
		});
	}

	for (const keySequences of [10, 2]) {
		it(`works through windows of sequences when tensors are larger than one binding, ${keySequences} key sequences`, async () => {
			const small = await testDevice({ maxBindingBytes: 4096 });
			const [heads, size, sequences, queries, keys] = [1, 16, 10, 16, 8];
			const q = randomValues(sequences * queries * size, 1, 3);
			const k = randomValues(keySequences * keys * size, 2, 3);
			const v = randomValues(keySequences * keys * size, 3);
			const [y] = await runGraph(small, (graph) =>
				attention(graph, {
					q: { tensor: residentTensor(small, "q", "f32", [sequences * queries, size], q) },
					k: { tensor: residentTensor(small, "k", "f32", [keySequences * keys, size], k) },
					v: { tensor: residentTensor(small, "v", "f32", [keySequences * keys, size], v) },
					heads,
					headSize: size,
					sequences,
					queries,
					keys,
					keySequences,
				}),
			);
			const expected = attentionReference(
				matrixOf(q, size),
				matrixOf(k, size),
				matrixOf(v, size),
				sequences * queries,
				heads,
				size,
				(row) => range((Math.floor(row / queries) % keySequences) * keys, keys),
			);
			expect(nmse(y, expected)).toBeLessThan(1e-11);
		});
	}

	it("refuses shapes that do not fit", async () => {
		const tensor = residentTensor(device, "x", "f32", [6, 24]);
		const run = (changed: object) =>
			runGraph(device, (graph) =>
				attention(graph, {
					q: { tensor },
					k: { tensor },
					v: { tensor },
					heads: 2,
					headSize: 12,
					sequences: 1,
					queries: 6,
					keys: 6,
					...changed,
				}),
			);
		await expect(run({ headSize: 10 })).rejects.toThrow(/multiple of 4/);
		await expect(run({ heads: 3 })).rejects.toThrow(/q must have columns 0 \.\. 36/);
		await expect(run({ sequences: 2 })).rejects.toThrow(/q must have 12 rows/);
		await expect(run({ keys: 0 })).rejects.toThrow(/must have keys/);
		await expect(run({ queryRows: residentTensor(device, "rows", "u32", [5]) })).rejects.toThrow(/queryRows must be \[6\]/);
	});
});

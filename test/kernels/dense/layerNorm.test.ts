import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import type { DType } from "../../../engine/gpu/tensor.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { layerNorm } from "../../../engine/kernels/dense/layerNorm.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** after((x - mean) / sqrt(variance + eps)) of each row, in f64. */
function reference(
	x: ArrayLike<number>,
	rows: number,
	columns: number,
	eps: number,
	after: (v: number, r: number, c: number) => number,
): Float64Array {
	const y = new Float64Array(rows * columns);
	for (let r = 0; r < rows; r++) {
		let sum = 0;
		for (let c = 0; c < columns; c++) sum += x[r * columns + c];
		const mean = sum / columns;
		let squares = 0;
		for (let c = 0; c < columns; c++) squares += (x[r * columns + c] - mean) ** 2;
		for (let c = 0; c < columns; c++) y[r * columns + c] = after((x[r * columns + c] - mean) / Math.sqrt(squares / columns + eps), r, c);
	}
	return y;
}

const stored = (values: Float32Array, dtype: DType) => (dtype === "f16" ? float16ToFloat32(float32ToFloat16(values)) : values);
const silu = (v: number) => v / (1 + Math.exp(-v));

describe("layerNorm", () => {
	const shapes = [
		[1, 1],
		[3, 2],
		[65, 7],
		[130, 32],
		[5, 64],
		[17, 320],
		[9, 1024],
		[3, 1280],
		[2, 8209],
	] as const;
	for (const dtype of ["f32", "f16"] as const) {
		for (const [rows, columns] of shapes) {
			it(`is affine over [${rows}, ${columns}] in ${dtype}`, async () => {
				// An offset of 30 times the spread: E[x^2] - E[x]^2 would lose all but three digits.
				const x = stored(
					randomValues(rows * columns, 1).map((v) => v + 17),
					dtype,
				);
				const weight = randomValues(columns, 2);
				const bias = randomValues(columns, 3);
				const [y] = await runGraph(device, (graph) =>
					layerNorm(graph, {
						x: residentTensor(device, "x", dtype, [rows, columns], x),
						eps: 1e-5,
						affine: {
							weight: residentTensor(device, "w", "f32", [columns], weight),
							bias: residentTensor(device, "b", "f32", [columns], bias),
						},
						outputDtype: "f32",
					}),
				);
				expect(
					nmse(
						y,
						reference(x, rows, columns, 1e-5, (v, _, c) => v * weight[c] + bias[c]),
					),
				).toBeLessThan(1e-11);
			});
		}
	}

	it("has no parameters where none are given, and rounds to f16 once", async () => {
		const x = randomValues(33 * 40, 4);
		const [y] = await runGraph(device, (graph) => layerNorm(graph, { x: residentTensor(device, "x", "f16", [3, 11, 40], x), eps: 1e-6 }));
		expect(
			nmse(
				y,
				reference(stored(x, "f16"), 33, 40, 1e-6, (v) => v),
			),
		).toBeLessThan(1e-7);
	});

	it("modulates with columns of one matrix, then applies SiLU", async () => {
		const [rows, columns] = [50, 24];
		const x = randomValues(rows * columns, 5, 3);
		const modulation = randomValues(2 * columns * 6, 6);
		const weight = randomValues(columns, 7);
		const bias = randomValues(columns, 8);
		const [y] = await runGraph(device, (graph) => {
			const matrix = residentTensor(device, "m", "f32", [2, columns * 6], modulation);
			return layerNorm(graph, {
				x: residentTensor(device, "x", "f32", [rows, columns], x),
				eps: 1e-6,
				affine: {
					weight: residentTensor(device, "w", "f32", [columns], weight),
					bias: residentTensor(device, "b", "f32", [columns], bias),
				},
				modulation: { shift: { tensor: matrix, rows: 25, column: columns * 3 }, scale: { tensor: matrix, rows: 25, column: columns * 4 } },
				silu: true,
			});
		});
		const expected = reference(x, rows, columns, 1e-6, (v, r, c) => {
			const base = Math.floor(r / 25) * columns * 6;
			return silu((v * weight[c] + bias[c]) * (1 + modulation[base + columns * 4 + c]) + modulation[base + columns * 3 + c]);
		});
		expect(nmse(y, expected)).toBeLessThan(1e-12);
	});

	it("reads segments of rows and writes columns of a wider tensor, guard columns untouched", async () => {
		const columns = 10;
		const x = randomValues(21 * columns, 9);
		const sources = [2, 3, 9, 10, 16, 17];
		const [y] = await runGraph(device, (graph) =>
			layerNorm(graph, {
				x: residentTensor(device, "x", "f32", [21, columns], x),
				xRows: { first: 2, count: 2, stride: 7, segments: 3 },
				eps: 1e-5,
				into: { tensor: graph.input("wide", "f32", [6, 16]), column: 4 },
			}),
		);
		const picked = Float32Array.from(sources.flatMap((r) => [...x.subarray(r * columns, (r + 1) * columns)]));
		const norm = reference(picked, 6, columns, 1e-5, (v) => v);
		const expected = Float64Array.from({ length: 6 * 16 }, (_, i) =>
			i % 16 >= 4 && i % 16 < 14 ? norm[Math.floor(i / 16) * columns + (i % 16) - 4] : 0,
		);
		expect(nmse(y, expected)).toBeLessThan(1e-12);
		expect([...y].filter((_, i) => i % 16 < 4 || i % 16 >= 14).every((v) => v === 0)).toBe(true);
	});

	it("works through windows when tensors are larger than one binding", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		const [rows, columns] = [200, 20];
		const x = randomValues(rows * columns, 10);
		const scale = randomValues(4 * columns, 11);
		const [y] = await runGraph(small, (graph) => {
			const part = { tensor: residentTensor(small, "s", "f32", [4, columns], scale), rows: 50 };
			return layerNorm(graph, {
				x: residentTensor(small, "x", "f32", [rows, columns], x),
				eps: 1e-5,
				modulation: { scale: part, shift: part },
			});
		});
		const expected = reference(
			x,
			rows,
			columns,
			1e-5,
			(v, r, c) => v * (1 + scale[Math.floor(r / 50) * columns + c]) + scale[Math.floor(r / 50) * columns + c],
		);
		expect(nmse(y, expected)).toBeLessThan(1e-12);
	});

	it("refuses shapes that do not fit", () => {
		const x = residentTensor(device, "x", "f32", [4, 8]);
		const weight = residentTensor(device, "w", "f32", [9]);
		return expect(runGraph(device, (graph) => layerNorm(graph, { x, eps: 1e-5, affine: { weight, bias: weight } }))).rejects.toThrow(
			/weight must be \[8\]/,
		);
	});
});

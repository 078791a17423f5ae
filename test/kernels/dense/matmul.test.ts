import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { roundToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { matmul } from "../../../engine/kernels/dense/matmul.ts";
import { type Activation, batchedRows } from "../../../engine/kernels/dense/matmulRequest.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

function erf(v: number): number {
	// Series below 2.5, continued fraction above, in f64.
	const z = Math.abs(v);
	if (z > 2.5) {
		let fraction = 0;
		for (let n = 100; n > 0; n--) fraction = n / 2 / (z + fraction);
		return Math.sign(v) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
	}
	let term = z;
	let sum = z;
	for (let n = 1; n < 200; n++) {
		term *= (-z * z) / n;
		sum += term / (2 * n + 1);
	}
	return (Math.sign(v) * 2 * sum) / Math.sqrt(Math.PI);
}

const activations: Record<Activation, (v: number) => number> = {
	none: (v) => v,
	silu: (v) => v / (1 + Math.exp(-v)),
	gelu: (v) => 0.5 * v * (1 + erf(v / Math.SQRT2)),
	relu: (v) => Math.max(0, v),
	geluTanh: (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
};

/** y = residual + gate * activation(x w^T + bias + rowBias) in f64. */
function reference(
	x: ArrayLike<number>,
	w: ArrayLike<number>,
	rows: number,
	inner: number,
	columns: number,
	epilogue: (sum: number, m: number, n: number) => number,
): Float64Array {
	const y = new Float64Array(rows * columns);
	for (let m = 0; m < rows; m++) {
		for (let n = 0; n < columns; n++) {
			let sum = 0;
			for (let k = 0; k < inner; k++) sum += x[m * inner + k] * w[n * inner + k];
			y[m * columns + n] = epilogue(sum, m, n);
		}
	}
	return y;
}

describe("matmul", () => {
	const shapes = [
		[1, 1, 1],
		[3, 7, 5],
		[64, 16, 64],
		[65, 17, 65],
		[127, 320, 131],
		[20, 1280, 320],
		[100, 36, 3],
		[70, 64, 8],
	] as const;
	for (const dtype of ["f32", "f16"] as const) {
		for (const [rows, inner, columns] of shapes) {
			it(`is x w^T + bias for ${rows}x${inner}x${columns} in ${dtype}`, async () => {
				const x = randomValues(rows * inner, 1);
				const w = randomValues(columns * inner, 2, 1 / Math.sqrt(inner));
				const bias = randomValues(columns, 3);
				const [y] = await runGraph(device, (graph) =>
					matmul(graph, {
						x: residentTensor(device, "x", dtype, [rows, inner], x),
						weight: residentTensor(device, "w", dtype, [columns, inner], w),
						bias: residentTensor(device, "b", "f32", [columns], bias),
						outputDtype: "f32",
					}),
				);
				const stored = (values: Float32Array) => (dtype === "f16" ? values.map(roundToFloat16) : values);
				expect(
					nmse(
						y,
						reference(stored(x), stored(w), rows, inner, columns, (sum, _, n) => sum + bias[n]),
					),
				).toBeLessThan(1e-12);
			});
		}
	}

	for (const [activation, columns] of [
		["silu", 36],
		["gelu", 36],
		["geluTanh", 36],
		["relu", 36],
		["relu", 3],
		["silu", 5],
	] as const) {
		it(`applies ${activation}, rowBias, gate and residual in that order to ${columns} columns`, async () => {
			const [rows, inner] = [70, 24];
			const x = randomValues(rows * inner, 1, 4);
			const w = randomValues(columns * inner, 2);
			const rowBias = randomValues(2 * (columns + 3), 4);
			const gate = randomValues(columns * 3, 5);
			const residual = randomValues(rows * columns, 6);
			const [y] = await runGraph(device, (graph) =>
				matmul(graph, {
					x: residentTensor(device, "x", "f32", [rows, inner], x),
					weight: residentTensor(device, "w", "f32", [columns, inner], w),
					activation,
					rowBias: { tensor: residentTensor(device, "rb", "f32", [2, columns + 3], rowBias), rows: 35, column: 3 },
					gate: { tensor: residentTensor(device, "g", "f32", [1, columns * 3], gate), rows, column: columns },
					residual: residentTensor(device, "r", "f32", [rows, columns], residual),
				}),
			);
			const expected = reference(x, w, rows, inner, columns, (sum, m, n) => {
				const pre = sum + rowBias[Math.floor(m / 35) * (columns + 3) + 3 + n];
				return residual[m * columns + n] + gate[columns + n] * activations[activation](pre);
			});
			expect(nmse(y, expected)).toBeLessThan(1e-12);
		});
	}

	it("is GEGLU with interleaved weight rows", async () => {
		const [rows, inner, columns] = [9, 8, 20];
		const x = randomValues(rows * inner, 1);
		const w = randomValues(columns * inner, 2);
		const [y] = await runGraph(device, (graph) =>
			matmul(graph, {
				x: residentTensor(device, "x", "f32", [rows, inner], x),
				weight: residentTensor(device, "w", "f32", [columns, inner], w),
				gated: true,
				activation: "gelu",
			}),
		);
		const sums = reference(x, w, rows, inner, columns, (sum) => sum);
		const expected = Float64Array.from({ length: (rows * columns) / 2 }, (_, i) => sums[i * 2] * activations.gelu(sums[i * 2 + 1]));
		expect(nmse(y, expected)).toBeLessThan(1e-12);
	});

	it("reads a column range of x and writes a column range of an existing tensor, guard columns untouched", async () => {
		const [rows, columns] = [5, 6];
		const x = randomValues(rows * 10, 1);
		const w = randomValues(columns * 4, 2);
		const [y] = await runGraph(device, (graph) => {
			const into = graph.input("wide", "f32", [rows, 9]);
			return matmul(graph, {
				x: residentTensor(device, "x", "f32", [rows, 10], x),
				xColumn: 3,
				weight: residentTensor(device, "w", "f32", [columns, 4], w),
				into: { tensor: into, column: 2 },
			});
		});
		for (let m = 0; m < rows; m++) {
			for (let n = 0; n < 9; n++) {
				let sum = 0;
				if (n >= 2 && n < 8) for (let k = 0; k < 4; k++) sum += x[m * 10 + 3 + k] * w[(n - 2) * 4 + k];
				expect(y[m * 9 + n]).toBeCloseTo(sum, 5);
			}
		}
	});

	it("reads a column range of x and writes a column range, for few columns of many rows", async () => {
		const [rows, columns] = [90, 3];
		const x = randomValues(rows * 24, 1);
		const w = randomValues(columns * 12, 2);
		const [y] = await runGraph(device, (graph) =>
			matmul(graph, {
				x: residentTensor(device, "x", "f32", [rows, 24], x),
				xColumn: 8,
				weight: residentTensor(device, "w", "f32", [columns, 12], w),
				into: { tensor: graph.input("wide", "f32", [rows, 7]), column: 2 },
			}),
		);
		for (let m = 0; m < rows; m++) {
			for (let n = 0; n < 7; n++) {
				let sum = 0;
				if (n >= 2 && n < 5) for (let k = 0; k < 12; k++) sum += x[m * 24 + 8 + k] * w[(n - 2) * 12 + k];
				expect(y[m * 7 + n]).toBeCloseTo(sum, 5);
			}
		}
	});

	it("reads and writes rows in segments and accumulates", async () => {
		const [inner, columns] = [6, 5];
		const x = randomValues(10 * inner, 1);
		const w = randomValues(columns * inner, 2);
		const start = randomValues(14 * columns, 3);
		const [y] = await runGraph(device, (graph) =>
			matmul(graph, {
				x: residentTensor(device, "x", "f32", [10, inner], x),
				xRows: { first: 1, count: 2, stride: 5, segments: 2 },
				weight: residentTensor(device, "w", "f32", [columns, inner], w),
				into: {
					tensor: residentTensor(device, "y", "f32", [14, columns], start),
					rows: { first: 3, count: 1, stride: 3, segments: 4 },
					accumulate: true,
				},
			}),
		);
		const expected = Float64Array.from(start);
		[1, 2, 6, 7].forEach((source, m) => {
			for (let n = 0; n < columns; n++)
				for (let k = 0; k < inner; k++) expected[(3 + 3 * m) * columns + n] += x[source * inner + k] * w[n * inner + k];
		});
		expect(nmse(y, expected)).toBeLessThan(1e-12);
	});

	it("works through windows when tensors are larger than one binding", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		const [rows, inner, columns] = [300, 20, 12];
		const x = randomValues(rows * inner, 1);
		const w = randomValues(columns * inner, 2);
		const gate = randomValues(6 * columns, 3);
		const [y] = await runGraph(small, (graph) =>
			matmul(graph, {
				x: residentTensor(small, "x", "f32", [rows, inner], x),
				weight: residentTensor(small, "w", "f32", [columns, inner], w),
				gate: { tensor: residentTensor(small, "g", "f32", [6, columns], gate), rows: 50 },
			}),
		);
		expect(
			nmse(
				y,
				reference(x, w, rows, inner, columns, (sum, m, n) => sum * gate[Math.floor(m / 50) * columns + n]),
			),
		).toBeLessThan(1e-12);
	});

	it("takes several weights, each for a run of rows, in windows too", async () => {
		const [runs, inner, columns] = [3, 8, 9];
		const rows = runs * batchedRows;
		const x = randomValues(rows * inner, 1);
		const w = randomValues(runs * columns * inner, 2);
		const expected = Float64Array.from({ length: rows * columns }, (_, i) => {
			const [m, n] = [Math.floor(i / columns), i % columns];
			const first = (Math.floor(m / batchedRows) * columns + n) * inner;
			return w.subarray(first, first + inner).reduce((sum, value, k) => sum + value * x[m * inner + k], 0);
		});
		for (const on of [device, await testDevice({ maxBindingBytes: 10_000 })]) {
			const [y] = await runGraph(on, (graph) =>
				matmul(graph, {
					x: residentTensor(on, "x", "f32", [rows, inner], x),
					weight: residentTensor(on, "w", "f32", [runs, columns, inner], w),
					weights: runs,
				}),
			);
			expect(nmse(y, expected)).toBeLessThan(1e-12);
		}
		const uneven = (graph: Graph) =>
			matmul(graph, { x: graph.input("x", "f32", [300, 8]), weight: graph.input("w", "f32", [3, 9, 8]), weights: 3 });
		expect(() => uneven(new Graph(device, "test"))).toThrow(/3 weights must be \[3, columns, channels\]/);
	});

	it("refuses shapes that do not fit", () => {
		const x = residentTensor(device, "x", "f32", [4, 8]);
		const weight = residentTensor(device, "w", "f32", [4, 9]);
		return expect(runGraph(device, (graph) => matmul(graph, { x, weight }))).rejects.toThrow(/does not fit/);
	});
});

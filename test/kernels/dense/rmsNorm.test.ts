import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { rmsNorm } from "../../../engine/kernels/dense/rmsNorm.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** Columns column .. column + heads * headSize of x normalised head by head in f64, the others as they are. */
function reference(
	x: ArrayLike<number>,
	stride: number,
	column: number,
	heads: number,
	headSize: number,
	gamma: ArrayLike<number>,
): Float64Array {
	const y = Float64Array.from(x);
	for (let row = 0; row < x.length / stride; row++) {
		for (let head = 0; head < heads; head++) {
			const base = row * stride + column + head * headSize;
			let squares = 0;
			for (let d = 0; d < headSize; d++) squares += x[base + d] ** 2;
			const factor = Math.sqrt(headSize) / Math.max(Math.sqrt(squares), 1e-12);
			for (let d = 0; d < headSize; d++) y[base + d] = x[base + d] * factor * gamma[head * headSize + d];
		}
	}
	return y;
}

describe("rmsNorm", () => {
	const shapes = [
		[1, 1, 1, 0, 1],
		[37, 4, 16, 64, 192],
		[9, 16, 64, 1024, 3072],
		[5, 3, 80, 1, 250],
		[2, 1, 600, 0, 600],
	] as const;
	for (const dtype of ["f32", "f16"] as const) {
		for (const [rows, heads, headSize, column, stride] of shapes) {
			it(`scales ${heads} heads of ${headSize} at column ${column} of [${rows}, ${stride}] in ${dtype}`, async () => {
				const x = randomValues(rows * stride, 1, 3);
				const stored = dtype === "f16" ? float16ToFloat32(float32ToFloat16(x)) : x;
				const gamma = randomValues(heads * headSize, 2);
				const [y] = await runGraph(device, (graph) =>
					rmsNorm(graph, {
						x: residentTensor(device, "x", dtype, [rows, stride], x),
						column,
						gamma: residentTensor(device, "g", "f32", [heads, headSize], gamma),
					}),
				);
				expect(nmse(y, reference(stored, stride, column, heads, headSize, gamma))).toBeLessThan(dtype === "f16" ? 1e-7 : 1e-12);
				const untouched = [...y].every((v, i) => (i % stride >= column && i % stride < column + heads * headSize) || v === stored[i]);
				expect(untouched).toBe(true);
			});
		}
	}

	it("leaves a vector of zeros at zero", async () => {
		const [y] = await runGraph(device, (graph) =>
			rmsNorm(graph, {
				x: residentTensor(device, "x", "f16", [3, 8]),
				gamma: residentTensor(device, "g", "f32", [1, 8], randomValues(8, 1)),
			}),
		);
		expect(y.every((v) => v === 0)).toBe(true);
	});

	it("works through windows", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		const x = randomValues(300 * 24, 3);
		const gamma = randomValues(16, 4);
		const [y] = await runGraph(small, (graph) =>
			rmsNorm(graph, {
				x: residentTensor(small, "x", "f32", [300, 24], x),
				column: 8,
				gamma: residentTensor(small, "g", "f32", [2, 8], gamma),
			}),
		);
		expect(nmse(y, reference(x, 24, 8, 2, 8, gamma))).toBeLessThan(1e-12);
	});

	it("refuses heads that do not fit", () => {
		const x = residentTensor(device, "x", "f32", [4, 8]);
		const gamma = residentTensor(device, "g", "f32", [2, 5]);
		return expect(runGraph(device, (graph) => rmsNorm(graph, { x, gamma }))).rejects.toThrow(/does not fit/);
	});
});

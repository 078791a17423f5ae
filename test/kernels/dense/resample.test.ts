import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { adaptiveAveragePool, resize } from "../../../engine/kernels/dense/resample.ts";
import { type ResizeMethod, resampleTable } from "../../../engine/kernels/dense/resampleTables.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** Both axes at once from a picture [height, width] given as a function that is defined beyond its borders, in f64. */
function reference(
	method: ResizeMethod,
	x: ArrayLike<number>,
	[height, width]: readonly [number, number],
	[rows, columns]: readonly [number, number],
): Float64Array {
	const y = new Float64Array(rows * columns);
	const clamp = (v: number, size: number) => Math.max(0, Math.min(size - 1, v));
	const pixel = (r: number, c: number) => x[clamp(r, height) * width + clamp(c, width)];
	const corners = method === "bilinearCorners";
	const place = (i: number, size: number, out: number) =>
		method === "bilinearAsymmetric"
			? (i * size) / out
			: corners
				? out === 1
					? 0
					: (i * (size - 1)) / (out - 1)
				: ((i + 0.5) * size) / out - 0.5;
	// Keys' kernel, piecewise.
	const keys = (t: number, a: number) => {
		const d = Math.abs(t);
		if (d < 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
		return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
	};
	for (let i = 0; i < rows; i++) {
		for (let j = 0; j < columns; j++) {
			const [r, c] = [place(i, height, rows), place(j, width, columns)];
			let value = 0;
			let total = 1;
			if (method === "nearest") value = pixel(Math.floor((i * height) / rows), Math.floor((j * width) / columns));
			if (method === "bilinear" || method === "bilinearAsymmetric" || corners) {
				for (let a = 0; a < height; a++)
					for (let b = 0; b < width; b++)
						value += pixel(a, b) * Math.max(0, 1 - Math.abs(clamp(r, height) - a)) * Math.max(0, 1 - Math.abs(clamp(c, width) - b));
			}
			if (method === "bicubic") {
				for (let a = -3; a < height + 3; a++)
					for (let b = -3; b < width + 3; b++) value += pixel(a, b) * keys(r - a, -0.75) * keys(c - b, -0.75);
			}
			if (method === "bicubicAntialias") {
				total = 0;
				const [sr, sc] = [Math.max(1, height / rows), Math.max(1, width / columns)];
				for (let a = 0; a < height; a++) {
					for (let b = 0; b < width; b++) {
						const weight = keys((r - a) / sr, -0.5) * keys((c - b) / sc, -0.5);
						value += pixel(a, b) * weight;
						total += weight;
					}
				}
			}
			if (method === "average") {
				total = 0;
				for (let a = Math.floor((i * height) / rows); a < Math.ceil(((i + 1) * height) / rows); a++) {
					for (let b = Math.floor((j * width) / columns); b < Math.ceil(((j + 1) * width) / columns); b++) {
						value += pixel(a, b);
						total++;
					}
				}
			}
			y[i * columns + j] = value / total;
		}
	}
	return y;
}

const methods = ["nearest", "bilinear", "bilinearAsymmetric", "bilinearCorners", "bicubic", "bicubicAntialias", "average"] as const;

describe("resample", () => {
	for (const method of methods) {
		for (const [from, to] of [
			[
				[5, 7],
				[8, 12],
			],
			[
				[16, 24],
				[12, 16],
			],
			[
				[37, 9],
				[5, 64],
			],
			[
				[3, 1],
				[1, 4],
			],
		] as const) {
			it(`is ${method} from [${from}] to [${to}]`, async () => {
				const x = randomValues(from[0] * from[1], 1);
				const [y] = await runGraph(device, (graph) =>
					resize(graph, { x: residentTensor(device, "x", "f32", [1, ...from, 1], x), extent: to, method }),
				);
				expect(nmse(y, reference(method, x, from, to))).toBeLessThan(1e-11);
			});
		}
	}

	it("has weights that sum to 1", () => {
		for (const method of methods) {
			const { taps, weights } = resampleTable(method, 37, 64);
			for (let i = 0; i < 64; i++) expect(weights.subarray(i * taps, (i + 1) * taps).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
		}
	});

	it("keeps images and channels apart, in f16", async () => {
		const x = randomValues(3 * 6 * 4 * 5, 2);
		const stored = float16ToFloat32(float32ToFloat16(x));
		const [y] = await runGraph(device, (graph) =>
			resize(graph, { x: residentTensor(device, "x", "f16", [3, 6, 4, 5], x), extent: [4, 8], method: "bilinear", outputDtype: "f32" }),
		);
		for (const [image, channel] of [
			[0, 0],
			[1, 3],
			[2, 4],
		]) {
			const one = stored.filter((_, i) => Math.floor(i / 120) === image && i % 5 === channel);
			const ours = y.filter((_, i) => Math.floor(i / 160) === image && i % 5 === channel);
			expect(nmse(ours, reference("bilinear", one, [6, 4], [4, 8]))).toBeLessThan(1e-11);
		}
	});

	it("averages volumes over overlapping windows, 16 to 12", async () => {
		const x = randomValues(16 ** 3 * 2, 3);
		const [y] = await runGraph(device, (graph) =>
			adaptiveAveragePool(graph, residentTensor(device, "x", "f32", [1, 16, 16, 16, 2], x), [12, 12, 12]),
		);
		const expected = Float64Array.from({ length: 12 ** 3 * 2 }, (_, at) => {
			const window = [Math.floor(at / 288), Math.floor(at / 24) % 12, Math.floor(at / 2) % 12].map((i) => [
				Math.floor((i * 16) / 12),
				Math.ceil(((i + 1) * 16) / 12),
			]);
			let sum = 0;
			let count = 0;
			for (let a = window[0][0]; a < window[0][1]; a++) {
				for (let b = window[1][0]; b < window[1][1]; b++) {
					for (let c = window[2][0]; c < window[2][1]; c++) {
						sum += x[((a * 16 + b) * 16 + c) * 2 + (at % 2)];
						count++;
					}
				}
			}
			return sum / count;
		});
		expect(nmse(y, expected)).toBeLessThan(1e-12);
	});

	it("works through windows", async () => {
		const small = await testDevice({ maxBindingBytes: 8192 });
		const x = randomValues(40 * 64, 4);
		const [y] = await runGraph(small, (graph) =>
			resize(graph, { x: residentTensor(small, "x", "f32", [1, 40, 64, 1], x), extent: [40, 128], method: "bicubic" }),
		);
		expect(nmse(y, reference("bicubic", x, [40, 64], [40, 128]))).toBeLessThan(1e-11);
	});

	it("refuses an extent of the wrong rank", () => {
		const x = residentTensor(device, "x", "f32", [1, 3, 4, 1]);
		return expect(runGraph(device, (graph) => resize(graph, { x, extent: [4], method: "nearest" }))).rejects.toThrow(/2 sizes/);
	});
});

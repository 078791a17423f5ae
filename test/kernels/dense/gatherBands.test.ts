import { describe, expect, it } from "vitest";
import type { DType } from "../../../engine/gpu/tensor.ts";
import { type ConvolutionRequest, convolution } from "../../../engine/kernels/dense/convolution.ts";
import { matmul } from "../../../engine/kernels/dense/matmul.ts";
import { sumRows } from "../../../engine/kernels/sparse/sumRows.ts";
import { randomValues, wholeAndInWindows } from "../../support/gpu.ts";

/** Images of 20 x 24 pixels with `channels`, convolved to 5 columns. */
async function convolved(
	options: { images: number; channels: number; dtype: DType; limit: number },
	geometry: Pick<ConvolutionRequest, "stride" | "padding" | "upsample">,
	withResidual: boolean,
) {
	const { images, channels, dtype, limit } = options;
	return wholeAndInWindows(limit, (graph, tensor) => {
		const x = tensor("x", dtype, [images, 20, 24, channels], randomValues(images * 480 * channels, 1));
		const weight = tensor("w", dtype, [5, 3, 3, channels], randomValues(45 * channels, 2));
		const bias = tensor("b", "f32", [5], randomValues(5, 3));
		if (!withResidual) return convolution(graph, { x, weight, bias, ...geometry });
		const residual = tensor("r", "f32", [images * 480, 5], randomValues(images * 2400, 4));
		const rowBias = { tensor: tensor("rb", "f32", [images, 5], randomValues(images * 5, 5)), rows: 480 };
		return convolution(graph, { x, weight, bias, ...geometry, residual, rowBias, activation: "silu", outputDtype: "f32" });
	});
}

describe("bands of output rows with the rows they read", () => {
	it("a 3 x 3 convolution of three images, with residual and row bias, in f16", async () => {
		const [whole, bands] = await convolved({ images: 3, channels: 12, dtype: "f16", limit: 8192 }, { padding: 1 }, true);
		expect(bands).toEqual(whole);
	});

	it("stride 2 with one-sided padding, and nearest upsampling", async () => {
		const onesided = [
			[0, 1],
			[0, 1],
		] as const;
		for (const geometry of [
			{ stride: 2, padding: onesided },
			{ upsample: 2, padding: 1 },
		]) {
			const [whole, bands] = await convolved({ images: 1, channels: 7, dtype: "f32", limit: 6144 }, geometry, false);
			expect(bands).toEqual(whole);
		}
	});

	it("whole images where one fits", async () => {
		const [whole, bands] = await convolved({ images: 3, channels: 8, dtype: "f32", limit: 20480 }, { padding: 1 }, true);
		expect(bands).toEqual(whole);
	});

	const far = (rows: number, taps: number) => Int32Array.from({ length: rows * taps }, (_, i) => (i % 7 === 3 ? -1 : (i * 211) % 300));

	it("rows that lie too far apart are copied, by a constant table or one from the GPU", async () => {
		for (const constant of [true, false]) {
			const [whole, bands] = await wholeAndInWindows(8192, (graph, tensor) => {
				const values = far(90, 4);
				const table = constant ? graph.constant("table", "i32", [90, 4], () => values) : tensor("table", "i32", [90, 4], values);
				return matmul(graph, {
					x: tensor("x", "f32", [300, 16], randomValues(4800, 1)),
					weight: tensor("w", "f32", [6, 4, 16], randomValues(384, 2)),
					neighbours: { table, rowsIn: 300 },
				});
			});
			expect(bands).toEqual(whole);
		}
	});

	it("sums of rows", async () => {
		for (const images of [1, 2]) {
			const [whole, bands] = await wholeAndInWindows(4096, (graph, tensor) =>
				sumRows(graph, {
					x: tensor("x", "f32", [images * 300, 5], randomValues(images * 1500, 1)),
					table: graph.constant("table", "i32", [500, 3], () => far(500, 3)),
					images,
					countPlusOne: true,
				}),
			);
			expect(bands).toEqual(whole);
		}
	});
});

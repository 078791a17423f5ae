import { describe, expect, it } from "vitest";
import { addRow } from "../../../engine/kernels/dense/addRow.ts";
import { layerNorm } from "../../../engine/kernels/dense/layerNorm.ts";
import { matmul } from "../../../engine/kernels/dense/matmul.ts";
import { randomValues, wholeAndInWindows } from "../../support/gpu.ts";

const segments = { first: 3, count: 70, stride: 101, segments: 4 };

describe("windows of rows in segments", () => {
	for (const [dtype, limits] of [
		["f32", [3072, 8192]],
		["f16", [3072]],
	] as const) {
		it(`layerNorm and matmul read them, in ${dtype}`, async () => {
			for (const limit of limits) {
				const [whole, windows] = await wholeAndInWindows(limit, (graph, tensor) => {
					const x = tensor("x", dtype, [420, 10], randomValues(4200, 1));
					const normed = layerNorm(graph, { x, xRows: segments, eps: 1e-5 });
					const weight = tensor("w", dtype, [6, 10], randomValues(60, 2));
					const y = matmul(graph, { x, xRows: segments, weight, residual: matmul(graph, { x: normed, weight }) });
					return y;
				});
				expect(windows).toEqual(whole);
			}
		});

		it(`matmul adds to them in place, in ${dtype}`, async () => {
			for (const limit of limits) {
				const [whole, windows] = await wholeAndInWindows(limit, (graph, tensor) => {
					const stream = tensor("stream", dtype, [420, 10], randomValues(4200, 1));
					const x = tensor("x", dtype, [280, 12], randomValues(3360, 2));
					const weight = tensor("w", dtype, [10, 12], randomValues(120, 3));
					return matmul(graph, { x, weight, into: { tensor: stream, rows: segments, accumulate: true } });
				});
				expect(windows).toEqual(whole);
			}
		});
	}

	it("rows of a GPU table into rows of the output", async () => {
		const [whole, windows] = await wholeAndInWindows(8192, (graph, tensor) =>
			matmul(graph, {
				x: tensor("x", "f32", [60, 8], randomValues(480, 1)),
				weight: tensor("w", "f32", [16, 2, 8], randomValues(256, 2)),
				neighbours: {
					table: tensor(
						"t",
						"i32",
						[300, 2],
						Int32Array.from({ length: 600 }, (_, i) => (i * 17) % 60),
					),
					rowsIn: 60,
				},
				into: { tensor: tensor("y", "f32", [600, 16], new Float32Array(9600)), rows: { first: 1, count: 1, stride: 2, segments: 300 } },
			}),
		);
		expect(windows).toEqual(whole);
	});

	it("a bias row of its own for every row", async () => {
		const [whole, windows] = await wholeAndInWindows(4096, (graph, tensor) =>
			matmul(graph, {
				x: tensor("x", "f32", [300, 8], randomValues(2400, 1)),
				weight: tensor("w", "f32", [4, 8], randomValues(32, 2)),
				rowBias: { tensor: tensor("b", "f32", [300, 12], randomValues(3600, 3)), rows: 1, column: 5 },
			}),
		);
		expect(windows).toEqual(whole);
	});

	it("addRow to some rows", async () => {
		const [whole, windows] = await wholeAndInWindows(4096, (graph, tensor) =>
			addRow(graph, {
				x: tensor("x", "f32", [500, 6], randomValues(3000, 1)),
				row: tensor("row", "f32", [6], randomValues(6, 2)),
				first: 37,
				count: 400,
				into: tensor("y", "f32", [500, 6], randomValues(3000, 3)),
			}),
		);
		expect(windows).toEqual(whole);
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { roundToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { addRow } from "../../../engine/kernels/dense/addRow.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("addRow", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`adds to some rows and leaves the others of the output alone in ${dtype}`, async () => {
			const [rows, columns] = [9, 31];
			const rounded = dtype === "f16" ? roundToFloat16 : Math.fround;
			const x = randomValues(rows * columns, 1).map(rounded);
			const row = randomValues(columns, 2);
			const start = randomValues(rows * columns, 3).map(rounded);
			const [y] = await runGraph(device, (graph) =>
				addRow(graph, {
					x: residentTensor(device, "x", dtype, [rows, columns], x),
					row: residentTensor(device, "row", "f32", [1, columns], row),
					first: 2,
					count: 5,
					into: residentTensor(device, "y", dtype, [rows, columns], start),
				}),
			);
			for (let i = 0; i < y.length; i++) {
				const inside = i >= 2 * columns && i < 7 * columns;
				expect(y[i], `element ${i}`).toBe(inside ? rounded(Math.fround(x[i] + row[i % columns])) : start[i]);
			}
		});
	}

	it("makes a new tensor for all rows and refuses one for some", async () => {
		const x = residentTensor(device, "x", "f32", [700, 130], randomValues(91000, 1));
		const row = residentTensor(device, "row", "f32", [130], randomValues(130, 2));
		const [y] = await runGraph(device, (graph) => addRow(graph, { x, row }));
		expect(y[90999]).toBe(Math.fround(randomValues(91000, 1)[90999] + randomValues(130, 2)[129]));
		await expect(runGraph(device, (graph) => addRow(graph, { x, row, count: 3 }))).rejects.toThrow(/do not fit/);
	});
});

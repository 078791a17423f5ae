import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { roundToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { sparsePool, sumRows } from "../../../engine/kernels/sparse/sumRows.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

function reference(
	x: ArrayLike<number>,
	table: Int32Array,
	entries: number,
	columns: number,
	images: number,
	countPlusOne: boolean,
): Float64Array {
	const rowsOut = table.length / entries;
	const rowsIn = x.length / columns / images;
	const y = new Float64Array(images * rowsOut * columns);
	for (let row = 0; row < images * rowsOut; row++) {
		const image = Math.floor(row / rowsOut);
		const sources = Array.from(table.subarray((row % rowsOut) * entries, ((row % rowsOut) + 1) * entries)).filter((source) => source >= 0);
		for (let c = 0; c < columns; c++) {
			for (const source of sources) y[row * columns + c] += x[(image * rowsIn + source) * columns + c];
			if (countPlusOne) y[row * columns + c] /= sources.length + 1;
		}
	}
	return y;
}

/** Rows below `rowsIn` or -1. */
const randomTable = (rows: number, entries: number, rowsIn: number) =>
	Int32Array.from(randomValues(rows * entries, 5), (v) => Math.floor(((v + 1) / 2) * (rowsIn + 1)) - 1);

describe("sumRows", () => {
	for (const [images, rowsIn, rowsOut, entries, columns] of [
		[1, 1, 1, 1, 1],
		[1, 40, 90, 1, 3],
		[1, 64, 33, 8, 64],
		[3, 17, 29, 2, 65],
		[2, 300, 500, 2, 130],
	]) {
		for (const dtype of ["f32", "f16"] as const) {
			it(`adds ${entries} of ${images} x ${rowsIn} rows of ${columns} in ${dtype}`, async () => {
				const x = randomValues(images * rowsIn * columns, 1).map((v) => (dtype === "f16" ? roundToFloat16(v) : v));
				const table = randomTable(rowsOut, entries, rowsIn);
				for (const countPlusOne of [false, true]) {
					const [y] = await runGraph(device, (graph) =>
						sumRows(graph, {
							x: residentTensor(device, "x", dtype, [images * rowsIn, columns], x),
							table: residentTensor(device, "table", "i32", [rowsOut, entries], table),
							images,
							countPlusOne,
							outputDtype: "f32",
						}),
					);
					expect(nmse(y, reference(x, table, entries, columns, images, countPlusOne))).toBeLessThan(1e-13);
				}
			});
		}
	}

	it("works through windows of rows and of images", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		for (const images of [1, 3]) {
			const [rowsIn, rowsOut, columns] = [15, images === 1 ? 300 : 16, 64];
			const x = randomValues(images * rowsIn * columns, 1);
			const table = randomTable(rowsOut, 8, rowsIn);
			const [y] = await runGraph(small, (graph) =>
				sumRows(graph, {
					x: residentTensor(small, "x", "f32", [images * rowsIn, columns], x),
					table: residentTensor(small, "table", "i32", [rowsOut, 8], table),
					images,
				}),
			);
			expect(nmse(y, reference(x, table, 8, columns, images, false))).toBeLessThan(1e-13);
		}
	});

	it("refuses a table of another number of axes and images that are not whole", async () => {
		const x = residentTensor(device, "x", "f32", [5, 4]);
		await expect(runGraph(device, (graph) => sumRows(graph, { x, table: residentTensor(device, "t", "i32", [3]) }))).rejects.toThrow(
			/does not fit/,
		);
		await expect(runGraph(device, (graph) => sparsePool(graph, x, residentTensor(device, "t", "i32", [3, 8]), 2))).rejects.toThrow(
			/does not fit/,
		);
	});
});

describe("sparsePool", () => {
	it("divides by the number of children plus one", async () => {
		const x = residentTensor(device, "x", "f32", [3, 1], Float32Array.of(6, 8, 10));
		const childrenOf = residentTensor(
			device,
			"c",
			"i32",
			[2, 8],
			Int32Array.of(0, 2, -1, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1, -1, -1, -1),
		);
		const [y] = await runGraph(device, (graph) => sparsePool(graph, x, childrenOf));
		expect(y[0]).toBeCloseTo(16 / 3, 6);
		expect(y[1]).toBe(4);
	});
});

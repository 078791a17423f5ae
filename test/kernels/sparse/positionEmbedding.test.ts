import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { roundToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { positionEmbedding } from "../../../engine/kernels/sparse/positionEmbedding.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("positionEmbedding", () => {
	const [images, voxels, columns, positions, perAxis] = [2, 37, 64, 16, 20];
	const coords = Int32Array.from(randomValues(voxels * 4, 1), (v) => Math.floor(((v + 1) / 2) * positions));
	const table = randomValues(positions * perAxis, 2);
	const x = randomValues(images * voxels * columns, 3).map(roundToFloat16);
	const expected = x.map((v, i) => {
		const [row, column] = [Math.floor(i / columns) % voxels, i % columns];
		const axis = Math.floor(column / perAxis);
		return axis < 3 ? Math.fround(v + table[coords[row * 4 + 1 + axis] * perAxis + (column % perAxis)]) : v;
	});
	const record = (on: Device, dtype: "f32" | "f16") =>
		runGraph(on, (graph) =>
			positionEmbedding(graph, {
				x: residentTensor(on, "x", dtype, [images * voxels, columns], x),
				coords: residentTensor(on, "coords", "i32", [voxels, 4], coords),
				table: residentTensor(on, "table", "f32", [positions, perAxis], table),
			}),
		);

	it("adds the rows of x, y and z and leaves the last columns", async () => {
		expect((await record(device, "f32"))[0]).toEqual(expected);
		expect((await record(device, "f16"))[0]).toEqual(expected.map(roundToFloat16));
	});

	it("works through windows", async () => {
		expect((await record(await testDevice({ maxBindingBytes: 4096 }), "f32"))[0]).toEqual(expected);
	});

	it("refuses a table wider than a third of x", () => {
		const request = {
			x: residentTensor(device, "x", "f32", [4, 8]),
			coords: residentTensor(device, "coords", "i32", [4, 4]),
			table: residentTensor(device, "table", "f32", [2, 3]),
		};
		return expect(runGraph(device, (graph) => positionEmbedding(graph, request))).rejects.toThrow(/do not fit/);
	});
});

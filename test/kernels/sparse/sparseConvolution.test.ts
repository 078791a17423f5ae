import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { roundToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { sparseConvolution } from "../../../engine/kernels/sparse/sparseConvolution.ts";
import { submanifoldNeighbours } from "../../../engine/kernels/sparse/submanifoldNeighbours.ts";
import { voxelSet } from "../../../engine/kernels/sparse/voxelSet.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";
import { bodyVoxels, rowsByName } from "../../support/voxels.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** A dense cross-correlation with zero padding, read back at the voxels, in f64. */
function reference(coords: Int32Array, x: ArrayLike<number>, weight: ArrayLike<number>, channels: number, columns: number): Float64Array {
	const rows = rowsByName(coords);
	const y = new Float64Array((coords.length / 4) * columns);
	for (let row = 0; row < coords.length / 4; row++) {
		const [batch, ...p] = coords.subarray(row * 4, row * 4 + 4);
		for (let tap = 0; tap < 27; tap++) {
			const at = [Math.floor(tap / 9), Math.floor(tap / 3) % 3, tap % 3].map((k, axis) => p[axis] + k - 1);
			const source = rows.get([batch, ...at].join());
			if (source === undefined) continue;
			for (let n = 0; n < columns; n++) {
				for (let c = 0; c < channels; c++) y[row * columns + n] += weight[(n * 27 + tap) * channels + c] * x[source * channels + c];
			}
		}
	}
	return y;
}

describe("sparseConvolution", () => {
	const coords = bodyVoxels([{ resolution: 32, height: 0.7, halfThickness: 0.7 }]);
	const table = submanifoldNeighbours(voxelSet(coords));
	const voxels = coords.length / 4;

	for (const dtype of ["f32", "f16"] as const) {
		it(`is a dense convolution read back at the voxels, for two images, in ${dtype}`, async () => {
			const [channels, columns] = [16, 20];
			const rounded = (values: Float32Array) => (dtype === "f16" ? values.map(roundToFloat16) : values);
			const x = rounded(randomValues(2 * voxels * channels, 1));
			const weight = rounded(randomValues(columns * 27 * channels, 2, 0.1));
			const bias = randomValues(columns, 3);
			const [y] = await runGraph(device, (graph) =>
				sparseConvolution(graph, {
					x: residentTensor(device, "x", dtype, [2 * voxels, channels], x),
					weight: residentTensor(device, "w", dtype, [columns, 3, 3, 3, channels], weight),
					neighbours: residentTensor(device, "n", "i32", [voxels, 27], table),
					images: 2,
					bias: residentTensor(device, "b", "f32", [columns], bias),
					outputDtype: "f32",
				}),
			);
			const halves = [0, 1].flatMap((image) => [...reference(coords, x.subarray(image * voxels * channels), weight, channels, columns)]);
			expect(
				nmse(
					y,
					halves.map((v, i) => v + bias[i % columns]),
				),
			).toBeLessThan(1e-11);
		});
	}

	it("works through windows of output rows, with a row bias and a residual", async () => {
		const small = await testDevice({ maxBindingBytes: 65536 });
		const [channels, columns] = [8, 12];
		const x = randomValues(voxels * channels, 1);
		const weight = randomValues(columns * 27 * channels, 2, 0.1);
		const rowBias = randomValues(Math.ceil(voxels / 8) * columns, 3);
		const residual = randomValues(voxels * columns, 4);
		const [y] = await runGraph(small, (graph) =>
			sparseConvolution(graph, {
				x: residentTensor(small, "x", "f32", [voxels, channels], x),
				weight: residentTensor(small, "w", "f32", [columns, 27, channels], weight),
				neighbours: residentTensor(small, "n", "i32", [voxels, 27], table),
				rowBias: { tensor: residentTensor(small, "rb", "f32", [Math.ceil(voxels / 8), columns], rowBias), rows: 8 },
				residual: residentTensor(small, "r", "f32", [voxels, columns], residual),
			}),
		);
		const expected = reference(coords, x, weight, channels, columns);
		expect(voxels * 27 * 4).toBeGreaterThan(65536);
		expect(
			nmse(
				y,
				expected.map((v, i) => v + rowBias[Math.floor(i / columns / 8) * columns + (i % columns)] + residual[i]),
			),
		).toBeLessThan(1e-12);
	});

	it("refuses a weight of other channels or taps", () => {
		const request = {
			x: residentTensor(device, "x", "f32", [voxels, 8]),
			weight: residentTensor(device, "w", "f32", [4, 27, 9]),
			neighbours: residentTensor(device, "n", "i32", [voxels, 27], table),
		};
		return expect(runGraph(device, (graph) => sparseConvolution(graph, request))).rejects.toThrow(/does not fit/);
	});
});

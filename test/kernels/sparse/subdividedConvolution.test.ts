import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import type { DType } from "../../../engine/gpu/tensor.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { subdividedConvolution } from "../../../engine/kernels/sparse/subdividedConvolution.ts";
import { subdividedCoordinates } from "../../../engine/kernels/sparse/subdividedVoxels.ts";
import { submanifoldNeighbours } from "../../../engine/kernels/sparse/submanifoldNeighbours.ts";
import { voxelSet } from "../../../engine/kernels/sparse/voxelSet.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";
import { bodyVoxels } from "../../support/voxels.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** The convolution of the subdivided rows, tap by tap, in f64. */
function reference(coords: Int32Array, x: Float32Array, weight: Float32Array, bias: Float32Array, channels: number): Float64Array {
	const columns = bias.length;
	const table = submanifoldNeighbours(voxelSet(subdividedCoordinates(coords)));
	const y = new Float64Array((table.length / 27) * columns);
	for (let row = 0; row < table.length / 27; row++) {
		for (let n = 0; n < columns; n++) {
			let sum = bias[n];
			for (let tap = 0; tap < 27; tap++) {
				const source = table[row * 27 + tap] >> 3;
				if (source < 0) continue;
				for (let c = 0; c < channels; c++) sum += weight[(n * 27 + tap) * channels + c] * x[source * channels + c];
			}
			y[row * columns + n] = sum;
		}
	}
	return y;
}

describe("subdividedConvolution", () => {
	const coords = bodyVoxels([{ resolution: 8, height: 0.8, halfThickness: 0.6 }]);
	const voxels = coords.length / 4;
	for (const [channels, columns] of [
		[3, 5],
		[32, 16],
	] as const) {
		for (const [dtype, bound] of [
			["f32", 1e-12],
			["f16", 2e-6],
		] as const) {
			it(`is the convolution of the subdivided features, ${channels} to ${columns} channels in ${dtype}`, async () => {
				const rounded = (values: Float32Array) => (dtype === "f16" ? float16ToFloat32(float32ToFloat16(values)) : values);
				const x = rounded(randomValues(voxels * channels, 1));
				const weight = rounded(randomValues(columns * 27 * channels, 2));
				const bias = randomValues(columns, 3);
				const resident = (label: string, type: DType, shape: readonly number[], values: Float32Array | Int32Array<ArrayBuffer>) =>
					residentTensor(device, label, type, shape, values);
				const [y] = await runGraph(device, (graph) =>
					subdividedConvolution(graph, {
						x: resident("x", dtype, [voxels, channels], x),
						weight: resident("w", dtype, [columns, 3, 3, 3, channels], weight),
						bias: resident("b", "f32", [columns], bias),
						parentNeighbours: resident("neighbours", "i32", [voxels, 27], submanifoldNeighbours(voxelSet(coords))),
					}),
				);
				expect(nmse(y, reference(coords, x, weight, bias, channels))).toBeLessThan(bound);
			});
		}
	}
});

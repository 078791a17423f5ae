import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import { matmul } from "../../engine/kernels/dense/matmul.ts";
import { declarePointwiseSparseConvolution } from "../../engine/layers/sparseSubdivideBlock.ts";
import { adapters } from "../../runners/parity/adapters/stage2Sparse.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { randomValues, runGraph, testDevice } from "../support/gpu.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("sparseSubdivideBlock", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the numbers of the official module in ${dtype}, the subdivided rows never made`, async () => {
			expect(failures(await runParityFixture("sparse_subdivide_block", adapters.sparse_subdivide_block, dtype))).toEqual([]);
		});
	}

	it("reads the weights of a 1 x 1 x 1 convolution without transposing them", async () => {
		const [columns, channels] = [6, 4];
		const source = syntheticSource({ name: "synthetic", seed: 1 });
		const weights = Weights.open(source);
		const layer = declarePointwiseSparseConvolution(weights, columns, channels, "f32");
		await weights.load(device);
		const x = randomValues(3 * channels, 2);
		const [y] = await runGraph(device, (graph) =>
			matmul(graph, { x: residentTensor(device, "x", "f32", [3, channels], x), weight: layer.weight }),
		);
		const { bytes } = await source.read("weight", [columns, 1, 1, 1, channels]);
		const [flat] = await runGraph(device, () => residentTensor(device, "w", "f16", [bytes.length / 2], new Uint16Array(bytes.buffer)));
		for (let row = 0; row < 3; row++) {
			for (let n = 0; n < columns; n++) {
				let sum = 0;
				for (let c = 0; c < channels; c++) sum += x[row * channels + c] * flat[c * columns + n];
				expect(y[row * columns + n]).toBeCloseTo(sum, 5);
			}
		}
		weights.release();
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import { Graph } from "../../engine/graph/graph.ts";
import {
	declareSparseStructureDecoder,
	occupiedVoxels,
	readSparseStructureDecoderConfig,
	recordSparseStructureDecoder,
} from "../../engine/models/sparseStructureDecoder.ts";
import { initRule, syntheticFloat32 } from "../../engine/random/synthetic.ts";
import { configOf } from "../../runners/parity/configOf.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { nmse, randomValues, runGraph, testDevice } from "../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const json = { latent_channels: 3, out_channels: 1, channels: [6, 4], num_res_blocks: 1, num_res_blocks_middle: 1, use_fp16: true };
const config = readSparseStructureDecoderConfig(configOf(json, "config.json"));

type Volume = { readonly side: number; readonly channels: number; readonly data: Float64Array };

/** The whole decoder with loops in f64, from the architecture notes. */
function reference(latent: Volume): Volume {
	const weight = (name: string, shape: number[]) => syntheticFloat32(name, shape, 5, initRule(name, shape));
	const conv = ({ side, channels, data }: Volume, name: string, columns: number): Volume => {
		const w = weight(`${name}.weight`, [columns, channels, 3, 3, 3]);
		const b = weight(`${name}.bias`, [columns]);
		const y = new Float64Array(side ** 3 * columns);
		for (let at = 0; at < y.length; at++) {
			const [n, voxel] = [at % columns, Math.floor(at / columns)];
			const centre = [Math.floor(voxel / side ** 2), Math.floor(voxel / side) % side, voxel % side];
			let sum = b[n];
			for (let tap = 0; tap < 27; tap++) {
				const [i, j, k] = [Math.floor(tap / 9), Math.floor(tap / 3) % 3, tap % 3].map((offset, axis) => centre[axis] + offset - 1);
				if ([i, j, k].some((v) => v < 0 || v >= side)) continue;
				for (let c = 0; c < channels; c++) sum += w[(n * channels + c) * 27 + tap] * data[((i * side + j) * side + k) * channels + c];
			}
			y[at] = sum;
		}
		return { side, channels: columns, data: y };
	};
	const normSilu = ({ side, channels, data }: Volume, name: string): Volume => {
		const [w, b] = [weight(`${name}.weight`, [channels]), weight(`${name}.bias`, [channels])];
		const y = new Float64Array(data.length);
		for (let row = 0; row < data.length; row += channels) {
			const x = data.subarray(row, row + channels);
			const mean = x.reduce((s, v) => s + v, 0) / channels;
			const variance = x.reduce((s, v) => s + (v - mean) ** 2, 0) / channels;
			x.forEach((value, c) => {
				const v = ((value - mean) / Math.sqrt(variance + 1e-5)) * w[c] + b[c];
				y[row + c] = v / (1 + Math.exp(-v));
			});
		}
		return { side, channels, data: y };
	};
	const block = (x: Volume, name: string): Volume => {
		const hidden = conv(normSilu(x, `${name}.norm1`), `${name}.conv1`, x.channels);
		const y = conv(normSilu(hidden, `${name}.norm2`), `${name}.conv2`, x.channels);
		return { ...x, data: y.data.map((v, i) => v + x.data[i]) };
	};
	const shuffle = ({ side, channels, data }: Volume): Volume => {
		const [wide, fewer] = [2 * side, channels / 8];
		const y = new Float64Array(data.length);
		for (let at = 0; at < y.length; at++) {
			const [c, voxel] = [at % fewer, Math.floor(at / fewer)];
			const [i, j, k] = [Math.floor(voxel / wide ** 2), Math.floor(voxel / wide) % wide, voxel % wide];
			y[at] = data[(((i >> 1) * side + (j >> 1)) * side + (k >> 1)) * channels + c * 8 + (i & 1) * 4 + (j & 1) * 2 + (k & 1)];
		}
		return { side: wide, channels: fewer, data: y };
	};
	const middle = block(conv(latent, "input_layer", 6), "middle_block.0");
	const wide = shuffle(conv(block(middle, "blocks.0"), "blocks.1.conv", 32));
	return conv(normSilu(block(wide, "blocks.2"), "out_layer.0"), "out_layer.2", 1);
}

describe("sparseStructureDecoder", () => {
	const latents = randomValues(4 ** 3 * 3, 1);
	const expected = reference({ side: 4, channels: 3, data: Float64Array.from(latents) }).data;
	for (const dtype of ["f32", "f16"] as const) {
		it(`is the decoder of the architecture notes in ${dtype}`, async () => {
			const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 5 }));
			const decoder = declareSparseStructureDecoder(weights, config, dtype);
			await weights.load(device);
			const [logits] = await runGraph(device, (graph) =>
				recordSparseStructureDecoder(graph, decoder, residentTensor(device, "z", "f32", [1, 4, 4, 4, 3], latents)),
			);
			expect(nmse(logits, expected)).toBeLessThan(dtype === "f16" ? 1e-5 : 1e-11);
			weights.release();
		});
	}

	it("lists occupied voxels in lexicographic order", () => {
		const logits = new Float32Array(2 * 27).fill(-1);
		for (const at of [0, 5, 26, 27 + 9]) logits[at] = 0.5;
		logits[1] = 0;
		logits[2] = Number.NaN;
		expect([...occupiedVoxels(logits, 3)]).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 0, 2, 2, 2, 1, 1, 0, 0]);
	});

	it("refuses latents and configs that do not fit", () => {
		const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 5 }));
		const decoder = declareSparseStructureDecoder(weights, config, "f32");
		const graph = new Graph(device, "test");
		expect(() => recordSparseStructureDecoder(graph, decoder, graph.input("z", "f32", [1, 4, 4, 4, 8]))).toThrow(/\[batch, x, y, z, 3\]/);
		expect(() => readSparseStructureDecoderConfig(configOf({ ...json, norm_type: "group" }, "config.json"))).toThrow(/norm_type/);
	});
});

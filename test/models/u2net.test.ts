import { expect, it } from "vitest";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import { declareU2net, recordU2net, u2netConvolutions, u2netStages } from "../../engine/models/u2net.ts";
import { openU2netWeights } from "../../engine/models/u2netWeights.ts";
import { memoryByteSource } from "../../weights/byteSource.ts";
import type { StoredTensor } from "../../weights/source.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import { Weights } from "../../weights/weights.ts";
import { nmse, randomValues, runGraph, testDevice } from "../support/gpu.ts";
import { safetensorsBytes } from "../support/safetensorsBytes.ts";
import { tinyU2net } from "../support/u2netFiles.ts";

/** A feature map, [channels][height][width]. */
type Map3 = number[][][];
const state = tinyU2net();

/** The network as the paper has it, in f64, norms not folded. */
function reference(image: Map3): Map3 {
	const values = (name: string) => toFloat32(state.get(name) as StoredTensor);
	const conv = (name: string, x: Map3, dilation = 1): Map3 => {
		const [weight, bias] = [values(`${name}.weight`), values(`${name}.bias`)];
		const kernel = name === "outconv" ? 1 : 3;
		const reach = ((kernel - 1) / 2) * dilation;
		return Array.from(bias, (start, n) =>
			x[0].map((row, i) =>
				row.map((_, j) => {
					let sum = start;
					for (let c = 0; c < x.length; c++)
						for (let a = 0; a < kernel; a++)
							for (let b = 0; b < kernel; b++)
								sum +=
									(x[c][i + a * dilation - reach]?.[j + b * dilation - reach] ?? 0) *
									weight[((n * x.length + c) * kernel + a) * kernel + b];
					return sum;
				}),
			),
		);
	};
	const block = (stage: string, name: string, x: Map3, dilation: number): Map3 => {
		const leaf = (part: string) => values(`${stage}.${name}.bn_s1.${part}`);
		const [g, offset, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(leaf);
		return conv(`${stage}.${name}.conv_s1`, x, dilation).map((map, n) =>
			map.map((row) => row.map((v) => Math.max(0, ((v - mean[n]) * g[n]) / Math.sqrt(variance[n] + 1e-5) + offset[n]))),
		);
	};
	const pool = (x: Map3): Map3 =>
		x.map((map) =>
			Array.from({ length: Math.ceil(map.length / 2) }, (_, i) =>
				Array.from({ length: Math.ceil(map[0].length / 2) }, (_, j) =>
					Math.max(...[0, 1].flatMap((a) => [0, 1].map((b) => map[2 * i + a]?.[2 * j + b] ?? Number.NEGATIVE_INFINITY))),
				),
			),
		);
	const up = (x: Map3, like: Map3): Map3 => {
		const place = (i: number, from: number, to: number) => Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
		return x.map((map) =>
			like[0].map((row, i) =>
				row.map((_, j) => {
					const [y, z] = [place(i, map.length, like[0].length), place(j, map[0].length, row.length)];
					const at = (a: number, b: number) => map[Math.min(map.length - 1, a)][Math.min(map[0].length - 1, b)];
					const [a, b] = [Math.floor(y), Math.floor(z)];
					return (
						(1 - y + a) * ((1 - z + b) * at(a, b) + (z - b) * at(a, b + 1)) +
						(y - a) * ((1 - z + b) * at(a + 1, b) + (z - b) * at(a + 1, b + 1))
					);
				}),
			),
		);
	};
	const stage = (name: keyof typeof u2netStages, x: Map3): Map3 => {
		const kind = u2netStages[name];
		const flat = kind === "flat";
		const levels = flat ? 4 : kind;
		const first = block(name, "rebnconvin", x, 1);
		const down = [block(name, "rebnconv1", first, 1)];
		for (let level = 2; level <= levels; level++) {
			const from = down[level - 2];
			down.push(
				block(name, `rebnconv${level}`, flat || level === levels ? from : pool(from), flat ? 2 ** (level - 1) : level === levels ? 2 : 1),
			);
		}
		let current = down[levels - 1];
		for (let level = levels - 1; level >= 1; level--) {
			const skip = down[level - 1];
			current = block(name, `rebnconv${level}d`, [...up(current, skip), ...skip], flat ? 2 ** (level - 1) : 1);
		}
		return current.map((map, n) => map.map((row, i) => row.map((v, j) => v + first[n][i][j])));
	};
	const h1 = stage("stage1", image);
	const h2 = stage("stage2", pool(h1));
	const h3 = stage("stage3", pool(h2));
	const h4 = stage("stage4", pool(h3));
	const h5 = stage("stage5", pool(h4));
	const h6 = stage("stage6", pool(h5));
	const d5 = stage("stage5d", [...up(h6, h5), ...h5]);
	const d4 = stage("stage4d", [...up(d5, h4), ...h4]);
	const d3 = stage("stage3d", [...up(d4, h3), ...h3]);
	const d2 = stage("stage2d", [...up(d3, h2), ...h2]);
	const d1 = stage("stage1d", [...up(d2, h1), ...h1]);
	const sides = [d1, d2, d3, d4, d5, h6].map((x, i) => up(conv(`side${i + 1}`, x), image)[0]);
	return [conv("outconv", sides)[0], ...sides];
}

it("is U2NET as published, on a picture whose halves are odd", async () => {
	const device = await testDevice();
	const [height, width] = [36, 42];
	const pixels = randomValues(height * width * 3, 5, 2);
	const { tensors, config } = await openU2netWeights(memoryByteSource("tiny", safetensorsBytes(state)));
	const weights = Weights.open(tensors);
	const model = declareU2net(weights, config, "f32");
	await weights.load(device);
	try {
		const maps = await runGraph(device, (graph) =>
			recordU2net(graph, model, residentTensor(device, "pixels", "f32", [1, height, width, 3], pixels)),
		);
		const image = [0, 1, 2].map((c) =>
			Array.from({ length: height }, (_, i) => Array.from({ length: width }, (_, j) => pixels[(i * width + j) * 3 + c])),
		);
		const expected = reference(image);
		expect(maps.length).toBe(7);
		maps.forEach((map, k) => {
			expect(nmse(map, expected[k].flat())).toBeLessThan(1e-10);
		});
	} finally {
		weights.release();
	}
});

it("has 112 convolutions in its stages, 6 sides and one that joins them", () => {
	expect(u2netConvolutions().filter(({ name }) => name.endsWith("conv_s1")).length).toBe(112);
	expect(
		u2netConvolutions()
			.slice(-7)
			.map(({ name }) => name),
	).toEqual([..."123456"].map((i) => `side${i}`).concat("outconv"));
});

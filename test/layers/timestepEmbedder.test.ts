import { describe, expect, it } from "vitest";
import { float16ToFloat32 } from "../../engine/gpu/float16.ts";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import { declareTimestepEmbedder, recordTimestepEmbedder, timestepSinusoidWidth } from "../../engine/layers/timestepEmbedder.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { nmse, randomValues, runGraph, testDevice } from "../support/gpu.ts";

const silu = (v: number) => v / (1 + Math.exp(-v));

describe("timestepEmbedder", () => {
	it("is SiLU(W2 SiLU(W1 s + b1) + b2) for every step", async () => {
		const device = await testDevice();
		const [steps, channels] = [3, 24];
		const source = syntheticSource({ name: "synthetic", seed: 1 });
		const weights = Weights.open(source);
		const embedder = declareTimestepEmbedder(weights, channels, "f32");
		await weights.load(device);
		const sinusoids = randomValues(steps * timestepSinusoidWidth, 2);
		const [y] = await runGraph(device, (graph) =>
			recordTimestepEmbedder(graph, embedder, residentTensor(device, "s", "f32", [steps, timestepSinusoidWidth], sinusoids)),
		);
		const values = async (name: string, shape: readonly number[]) =>
			float16ToFloat32(new Uint16Array((await source.read(name, shape)).bytes.buffer));
		const layer = async (x: ArrayLike<number>, name: string, width: number) => {
			const [weight, bias] = [await values(`${name}.weight`, [channels, width]), await values(`${name}.bias`, [channels])];
			return Float64Array.from({ length: steps * channels }, (_, i) => {
				const [row, n] = [Math.floor(i / channels), i % channels];
				let sum = bias[n];
				for (let k = 0; k < width; k++) sum += x[row * width + k] * weight[n * width + k];
				return silu(sum);
			});
		};
		expect(nmse(y, await layer(await layer(sinusoids, "mlp.0", timestepSinusoidWidth), "mlp.2", channels))).toBeLessThan(1e-12);
		weights.release();
	});
});

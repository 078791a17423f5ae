import { describe, expect, it } from "vitest";
import { roundToFloat16 } from "../../engine/gpu/float16.ts";
import type { NoiseScheduleConfig } from "../../engine/samplers/diffusionSchedule.ts";
import { noiseImageEmbeddings } from "../../engine/stages/imageNoise.ts";
import { randomValues } from "../support/gpu.ts";
import { failureOf } from "../support/hostile.ts";

const schedule: NoiseScheduleConfig = {
	trainTimesteps: 1000,
	betaStart: 1e-4,
	betaEnd: 0.02,
	betaSchedule: "squaredcos_cap_v2",
	rescaleBetasZeroSnr: false,
};
const width = 6;
const [embeddings, noise] = [randomValues(2 * width, 1), randomValues(2 * width, 2)];
const statistics = { mean: randomValues(width, 3), deviation: randomValues(width, 4).map((value) => 1 + Math.abs(value)) };
const half = (value: number) => roundToFloat16(Math.fround(value));

describe("noiseImageEmbeddings", () => {
	it("mixes normalised embedding and noise by the schedule's level, and scales back", () => {
		const level = 20;
		let alpha = 1;
		const share = (t: number) => Math.cos(((t + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
		for (let i = 0; i <= level; i++) alpha *= share((i + 1) / 1000) / share(i / 1000);
		const found = noiseImageEmbeddings(embeddings, noise, statistics, { schedule, level, round: Math.fround });
		for (const [i, value] of found.entries()) {
			const [m, d] = [statistics.mean[i % width], statistics.deviation[i % width]];
			expect(value).toBeCloseTo(((Math.sqrt(alpha) * (embeddings[i] - m)) / d) * d + Math.sqrt(1 - alpha) * noise[i] * d + m, 5);
		}
	});

	it("at level 0 drops the noise in float16, where alpha is 1, and not in float32", () => {
		const options = { schedule, level: 0 };
		const without = noiseImageEmbeddings(embeddings, new Float32Array(noise.length), statistics, { ...options, round: half });
		expect(noiseImageEmbeddings(embeddings, noise, statistics, { ...options, round: half })).toEqual(without);
		const exact = noiseImageEmbeddings(embeddings, noise, statistics, { ...options, round: Math.fround });
		const [m, d] = [statistics.mean[0], statistics.deviation[0]];
		expect((exact[0] - m) / d).toBeCloseTo(0.999979 * ((embeddings[0] - m) / d) + 0.00643 * noise[0], 4);
	});

	it("names statistics of another width", async () => {
		const wrong = { ...statistics, deviation: new Float32Array(width + 1) };
		const failure = await failureOf(async () => noiseImageEmbeddings(embeddings, noise, wrong, { schedule, level: 0, round: Math.fround }));
		expect(failure).toMatchObject({ code: "checkpoint" });
		expect((failure as Error).message).toContain("mean and std have 6 and 7 values");
	});
});

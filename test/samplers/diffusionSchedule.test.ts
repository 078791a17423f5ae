import { describe, expect, test } from "vitest";
import { cumulativeAlphas, inDoubles, noiseScheduleOf } from "../../engine/samplers/diffusionSchedule.ts";

const config = noiseScheduleOf({ beta_schedule: "scaled_linear", beta_start: 0.00085, beta_end: 0.012 }, "scheduler_config.json");

describe("diffusionSchedule", () => {
	test("Stable Diffusion's table: the published ends, falling, near its exact values", () => {
		const [official, exact] = [cumulativeAlphas(config), cumulativeAlphas(config, inDoubles)];
		expect(official).toHaveLength(1000);
		expect(official[0]).toBeCloseTo(0.99915, 7);
		expect(official[999]).toBeCloseTo(0.00466, 6);
		expect(official.every((alpha, i) => i === 0 || alpha < official[i - 1])).toBe(true);
		expect(Math.max(...official.map((alpha, i) => Math.abs(alpha / exact[i] - 1)))).toBeLessThan(1e-6);
	});

	test("zero-SNR betas end at nothing but noise and keep the first step", () => {
		const stretched = cumulativeAlphas({ ...config, rescaleBetasZeroSnr: true });
		expect(stretched[999]).toBe(0);
		expect(stretched[0]).toBeCloseTo(0.99915, 6);
	});

	test("the cosine schedule of image noising: 0.99995869 at level 0, 1 in float16", () => {
		expect(cumulativeAlphas({ ...config, betaSchedule: "squaredcos_cap_v2" })[0]).toBeCloseTo(0.99995869, 7);
	});

	test("names what a scheduler_config.json has that is not supported", () => {
		expect(() => noiseScheduleOf({ beta_schedule: "sigmoid" }, "scheduler/scheduler_config.json")).toThrow(
			/scheduler_config\.json: beta_schedule "sigmoid"/,
		);
		expect(() => noiseScheduleOf({ trained_betas: [0.1] }, "s")).toThrow(/trained_betas/);
		for (const beta_end of ["0.02", -1, Number.NaN]) expect(() => noiseScheduleOf({ beta_end }, "s")).toThrow(/beta_end/);
		for (const num_train_timesteps of [2.5, 1e9])
			expect(() => noiseScheduleOf({ num_train_timesteps }, "s")).toThrow(/num_train_timesteps/);
	});
});

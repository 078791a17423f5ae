import { describe, expect, test } from "vitest";
import { ddimConfigOf, ddimSchedule, ddimTimesteps, syncDreamerSchedule } from "../../engine/samplers/ddim.ts";

const json = {
	_class_name: "DDIMScheduler",
	beta_schedule: "scaled_linear",
	beta_start: 0.00085,
	beta_end: 0.012,
	prediction_type: "v_prediction",
	steps_offset: 1,
	set_alpha_to_one: false,
	clip_sample: false,
};
const config = ddimConfigOf(json, "scheduler_config.json");

describe("ddim", () => {
	test("timesteps of the three spacings", () => {
		expect([...ddimTimesteps(config, 40)].slice(0, 2)).toEqual([976, 951]);
		expect(ddimTimesteps(config, 40).at(-1)).toBe(1);
		expect([...ddimTimesteps({ ...config, timestepSpacing: "trailing" }, 3)]).toEqual([999, 666, 332]);
		expect([...ddimTimesteps({ ...config, timestepSpacing: "linspace" }, 3)]).toEqual([999, 500, 0]);
		expect(() => ddimTimesteps(config, 1000)).toThrow(/beyond the last/);
		for (const steps of [0, 2.5, 1001]) expect(() => ddimTimesteps(config, steps)).toThrow(/whole number from 1 to 1000/);
	});

	test("without noise and with a perfect network it lands on the clean sample", () => {
		// A network that knows x0 = 0.7: every step must keep x = sqrt(alpha) 0.7 + sqrt(1 - alpha) e on its track.
		for (const prediction of ["epsilon", "v_prediction"] as const) {
			const steps = ddimSchedule({ ...config, predictionType: prediction, setAlphaToOne: true }, { steps: 25, eta: 0 });
			const error = -0.3;
			let x = steps[0].sqrtAlpha * 0.7 + steps[0].sqrtBeta * error;
			for (const step of steps) {
				const m = prediction === "epsilon" ? error : step.sqrtAlpha * error - step.sqrtBeta * 0.7;
				const clean = prediction === "epsilon" ? (x - step.sqrtBeta * m) / step.sqrtAlpha : step.sqrtAlpha * x - step.sqrtBeta * m;
				const e = prediction === "epsilon" ? m : step.sqrtAlpha * m + step.sqrtBeta * x;
				expect(step.sigma).toBe(0);
				x = step.sqrtAlphaPrevious * clean + step.direction * e;
			}
			expect(x).toBeCloseTo(0.7, 5);
		}
	});

	test("with eta 1 and set_alpha_to_one false the last step still adds noise", () => {
		const last = (one: boolean) => ddimSchedule({ ...config, setAlphaToOne: one }, { steps: 40, eta: 1 })[39];
		expect(last(false).sigma).toBeGreaterThan(0);
		expect(last(true).sigma).toBe(0);
	});

	test("zero-SNR ends stay finite, and say so where a noise prediction is divided by nothing", () => {
		const said: string[] = [];
		for (const prediction of ["epsilon", "v_prediction", "sample"] as const) {
			const zero = { ...config, predictionType: prediction, rescaleBetasZeroSnr: true, timestepSpacing: "trailing" } as const;
			const steps = ddimSchedule(zero, { steps: 20, eta: 1, onClamp: (message) => said.push(message) });
			for (const step of steps) expect(Object.values(step).every(Number.isFinite)).toBe(true);
			const [{ sqrtAlpha, sqrtAlphaPrevious, direction, sigma }] = steps;
			// What follows has the variance that belongs there.
			if (prediction === "epsilon") {
				expect([sqrtAlpha, sqrtAlphaPrevious]).toEqual([1, 0]);
				expect(direction ** 2 + sigma ** 2).toBeCloseTo(1, 2);
			}
		}
		expect(said).toHaveLength(1);
		expect(said[0]).toMatch(/timestep 999/);
	});

	test("SyncDreamer: one step more where 1000 is no multiple, no noise at the end", () => {
		const steps = syncDreamerSchedule(config, { steps: 30, eta: 1 });
		expect(steps).toHaveLength(31);
		expect(steps.at(-1)).toMatchObject({ timestep: 1, sigma: 0 });
		expect(steps.slice(0, -1).every((step) => step.sigma > 0)).toBe(true);
		expect(() => syncDreamerSchedule(config, { steps: 501, eta: 1 })).toThrow(/1 to 500/);
	});

	test("takes DDIM and refuses by name what upstream would quietly sample otherwise", () => {
		expect(config).toMatchObject({
			predictionType: "v_prediction",
			stepsOffset: 1,
			setAlphaToOne: false,
			clipSample: false,
			timestepSpacing: "leading",
		});
		for (const name of ["PNDMScheduler", "EulerDiscreteScheduler", "DDPMScheduler", undefined]) {
			expect(() => ddimConfigOf({ ...json, _class_name: name }, "scheduler/scheduler_config.json")).toThrow(
				/scheduler_config\.json: .* is not DDIM/,
			);
		}
		expect(() => ddimConfigOf({ ...json, thresholding: true }, "s")).toThrow(/thresholding/);
		expect(() => ddimConfigOf({ ...json, prediction_type: "flow" }, "s")).toThrow(/prediction_type "flow"/);
		expect(() => ddimConfigOf({ ...json, steps_offset: -1 }, "s")).toThrow(/steps_offset/);
		expect(() => ddimConfigOf({ ...json, clip_sample_range: 0 }, "s")).toThrow(/clip_sample_range/);
		for (const eta of [-0.1, 1.1, Number.NaN]) expect(() => ddimSchedule(config, { steps: 5, eta })).toThrow(/eta/);
	});
});

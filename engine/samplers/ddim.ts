import { SyncHumanError } from "../error.ts";
import type { DdimCoefficients, PredictionType } from "../kernels/dense/ddimStep.ts";
import { roundHalfToEven } from "../roundHalfToEven.ts";
import { cumulativeAlphas, type NoiseScheduleConfig, noiseScheduleOf, type Rounding } from "./diffusionSchedule.ts";

// DDIM (Song et al., arXiv 2010.02502) as diffusers 0.29 computes it, and SyncDreamer's own variant. A schedule is a table of
// coefficients; the update of the state is a kernel (kernels/dense/ddimStep), the loop the stages'.

/** A DDIM sampler, as scheduler_config.json describes it. */
export interface DdimConfig extends NoiseScheduleConfig {
	readonly predictionType: PredictionType;
	readonly timestepSpacing: "leading" | "trailing" | "linspace";
	/** Added to the timesteps of "leading" spacing. */
	readonly stepsOffset: number;
	/** Whether the step past the last ends at 1 (no noise) rather than at the table's first entry. */
	readonly setAlphaToOne: boolean;
	/** Clamps the predicted clean sample to +-clipSampleRange. */
	readonly clipSample: boolean;
	readonly clipSampleRange: number;
}

/** One step from noise to data. */
export interface DdimStep extends DdimCoefficients {
	readonly index: number;
	/** The whole number that the network's time embedding gets. */
	readonly timestep: number;
}

/** The smallest cumulative alpha whose root a noise prediction is divided by; less is left at the very end of zero-SNR betas. */
const smallestAlpha = 2 ** -24;

/** numpy's `arange(1000, 0, -1000 / steps)`, `linspace(0, 999, steps)` or `arange(steps) * (1000 // steps)`, rounded, from noisy to clean. */
export function ddimTimesteps(config: DdimConfig, steps: number): Int32Array {
	const { trainTimesteps: total, timestepSpacing, stepsOffset } = config;
	if (!Number.isInteger(steps) || steps < 1 || steps > total) {
		throw new SyncHumanError("input", `DDIM: steps must be a whole number from 1 to ${total}, is ${steps}`);
	}
	if (timestepSpacing === "trailing") {
		const stride = total / steps;
		const delta = total - stride - total;
		return Int32Array.from({ length: Math.ceil(-total / -stride) }, (_, i) => roundHalfToEven(total + i * delta) - 1);
	}
	if (timestepSpacing === "linspace") {
		const stride = steps === 1 ? 0 : (total - 1) / (steps - 1);
		return Int32Array.from({ length: steps }, (_, i) => (i === 0 && steps > 1 ? total - 1 : roundHalfToEven((steps - 1 - i) * stride)));
	}
	const stride = Math.floor(total / steps);
	const timesteps = Int32Array.from({ length: steps }, (_, i) => (steps - 1 - i) * stride + stepsOffset);
	if (timesteps[0] >= total) {
		throw new SyncHumanError(
			"input",
			`DDIM: ${steps} steps with steps_offset ${stepsOffset} begin at timestep ${timesteps[0]}, beyond the last, ${total - 1}`,
			`Ask for at most ${Math.floor(total / 2)} steps.`,
		);
	}
	return timesteps;
}

interface StepAlphas {
	readonly timestep: number;
	readonly alpha: number;
	readonly alphaPrevious: number;
	/** Least value under the square root of `direction`. */
	readonly directionFloor: number;
	readonly eta: number;
}

function coefficients({ timestep, alpha, alphaPrevious, directionFloor, eta }: StepAlphas, index: number, round: Rounding): DdimStep {
	const [beta, betaPrevious] = [round(1 - alpha), round(1 - alphaPrevious)];
	const variance = round(round(betaPrevious / beta) * round(1 - round(alpha / alphaPrevious)));
	const sigma = round(eta * round(Math.sqrt(variance)));
	return {
		index,
		timestep,
		sqrtAlpha: round(Math.sqrt(alpha)),
		sqrtBeta: round(Math.sqrt(beta)),
		sqrtAlphaPrevious: round(Math.sqrt(alphaPrevious)),
		direction: round(Math.sqrt(Math.max(round(betaPrevious - round(sigma * sigma)), directionFloor))),
		sigma,
	};
}

/**
 * The steps from noise to data. `eta` in [0, 1]: 0 deterministic, 1 as much fresh noise as DDPM. The previous timestep lies a constant
 * 1000 // steps back, which for "linspace" is not the next entry: upstream's arithmetic. `round` is the precision of the coefficients
 * and of the alpha table (default float32, as official).
 * Departs from upstream: at the end of zero-SNR betas a noise prediction is not divided by zero: all is noise there, so the picture counts as 0 in that
 * step, and `onClamp` hears of it; and the root of a rounding error below 0 is 0.
 */
export function ddimSchedule(
	config: DdimConfig,
	{ steps, eta, round = Math.fround, onClamp }: { steps: number; eta: number; round?: Rounding; onClamp?: (message: string) => void },
): readonly DdimStep[] {
	if (!(eta >= 0 && eta <= 1)) throw new SyncHumanError("input", `DDIM: eta must lie in [0, 1], is ${eta}`);
	const alphas = cumulativeAlphas(config, round);
	const last = config.setAlphaToOne ? 1 : alphas[0];
	const stride = Math.floor(config.trainTimesteps / steps);
	return Array.from(ddimTimesteps(config, steps), (timestep, index) => {
		const previous = timestep - stride;
		const alpha = alphas[timestep];
		const alphaPrevious = previous >= 0 ? alphas[previous] : last;
		const step = coefficients({ timestep, alpha, alphaPrevious, directionFloor: 0, eta }, index, round);
		if (alpha >= smallestAlpha || config.predictionType !== "epsilon") return step;
		onClamp?.(
			`DDIM: at timestep ${timestep} nothing but noise is left (alpha ${alpha}), and a prediction of the noise tells no picture: it counts as 0 there`,
		);
		return { ...step, sqrtAlpha: 1, sqrtAlphaPrevious: 0 };
	});
}

/**
 * SyncDreamer's sampler (liuyuan-pal/SyncDreamer cc373c8, SyncDDIMSampler): timesteps range(0, 1000, 1000 // steps) + 1, which are more
 * than asked where steps does not divide 1000; noise prediction; no noise at the last step, and 1e-7 as the least squared direction.
 */
export function syncDreamerSchedule(
	config: NoiseScheduleConfig,
	{ steps, eta, round = Math.fround }: { steps: number; eta: number; round?: Rounding },
): readonly DdimStep[] {
	if (!Number.isInteger(steps) || steps < 1 || steps > config.trainTimesteps / 2) {
		throw new SyncHumanError("input", `DDIM: steps must be a whole number from 1 to ${config.trainTimesteps / 2}, is ${steps}`);
	}
	const alphas = cumulativeAlphas(config, round);
	const stride = Math.floor(config.trainTimesteps / steps);
	const timesteps = Array.from({ length: Math.ceil(config.trainTimesteps / stride) }, (_, i) => i * stride + 1).reverse();
	return timesteps.map((timestep, index) => {
		const final = index === timesteps.length - 1;
		const step = coefficients(
			{ timestep, alpha: alphas[timestep], alphaPrevious: alphas[final ? 0 : timesteps[index + 1]], directionFloor: 1e-7, eta },
			index,
			round,
		);
		return final ? { ...step, sigma: 0 } : step;
	});
}

/**
 * A scheduler_config.json as a DDIM sampler. Only DDIMScheduler is taken: upstream's pipeline passes eta and a generator to whatever the
 * file names, and another class would drop them silently. Throws a "checkpoint" error with what to do.
 */
export function ddimConfigOf(json: Readonly<Record<string, unknown>>, path: string): DdimConfig {
	const name = json._class_name;
	if (name !== "DDIMScheduler") {
		throw new SyncHumanError(
			"checkpoint",
			`${path}: ${typeof name === "string" ? name : "a scheduler without _class_name"} is not DDIM`,
			'Only DDIMScheduler samples here; its other fields are kept if you set "_class_name": "DDIMScheduler" in that file.',
		);
	}
	if (json.thresholding === true) {
		throw new SyncHumanError("checkpoint", `${path}: thresholding is not supported`, "Set it to false to sample without.");
	}
	const choice = <T extends string>(field: string, known: readonly T[], fallback: T): T => {
		const value = json[field] ?? fallback;
		if (!known.includes(value as T)) {
			throw new SyncHumanError("checkpoint", `${path}: ${field} ${JSON.stringify(value)} is not supported`, `Known: ${known.join(", ")}.`);
		}
		return value as T;
	};
	const stepsOffset = json.steps_offset ?? 0;
	if (typeof stepsOffset !== "number" || !Number.isInteger(stepsOffset) || stepsOffset < 0) {
		throw new SyncHumanError("checkpoint", `${path}: steps_offset must be a whole number, is ${JSON.stringify(stepsOffset)}`);
	}
	const clipSampleRange = json.clip_sample_range ?? 1;
	if (typeof clipSampleRange !== "number" || !(clipSampleRange > 0)) {
		throw new SyncHumanError("checkpoint", `${path}: clip_sample_range must be positive, is ${JSON.stringify(clipSampleRange)}`);
	}
	return {
		...noiseScheduleOf(json, path),
		predictionType: choice("prediction_type", ["epsilon", "v_prediction", "sample"], "epsilon"),
		timestepSpacing: choice("timestep_spacing", ["leading", "trailing", "linspace"], "leading"),
		stepsOffset,
		setAlphaToOne: json.set_alpha_to_one !== false,
		clipSample: json.clip_sample !== false,
		clipSampleRange,
	};
}

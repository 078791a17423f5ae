import { SyncHumanError } from "../error.ts";

// The noise schedules of diffusers' DDPM family: betas of 1,000 training steps and the cumulative products of 1 - beta.
// Rounded operation by operation as torch does it, because the samplers subtract neighbouring entries of the table.

/** What a scheduler_config.json says of the noise schedule. */
export interface NoiseScheduleConfig {
	readonly trainTimesteps: number;
	readonly betaStart: number;
	readonly betaEnd: number;
	readonly betaSchedule: "linear" | "scaled_linear" | "squaredcos_cap_v2";
	/** Lin et al. 2023: stretched so that the last step is all noise. */
	readonly rescaleBetasZeroSnr: boolean;
}

/** Rounds a double to the precision of a computation: Math.fround for float32, the identity for float64. */
export type Rounding = (value: number) => number;

/** No rounding: the computation stays in doubles. */
export const inDoubles: Rounding = (value) => value;

/** torch.linspace on a CPU, symmetric about its middle as torch computes it. */
function linspace(start: number, end: number, count: number, round: Rounding): Float64Array {
	const [from, to] = [round(start), round(end)];
	const step = round(round(to - from) / (count - 1));
	return Float64Array.from({ length: count }, (_, i) =>
		i < Math.floor(count / 2) ? round(from + round(step * i)) : round(to - round(step * (count - i - 1))),
	);
}

function betasOf(config: NoiseScheduleConfig, round: Rounding): Float64Array {
	const { trainTimesteps: count, betaStart, betaEnd } = config;
	if (config.betaSchedule === "linear") return linspace(betaStart, betaEnd, count, round);
	if (config.betaSchedule === "scaled_linear") {
		return linspace(Math.sqrt(betaStart), Math.sqrt(betaEnd), count, round).map((root) => round(root * root));
	}
	const share = (t: number) => Math.cos(((t + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
	return Float64Array.from({ length: count }, (_, i) => round(Math.min(1 - share((i + 1) / count) / share(i / count), 0.999)));
}

/** torch.cumprod on a CPU: accumulated in doubles, every result rounded. */
function cumulativeProduct(values: Float64Array, round: Rounding): Float64Array {
	let product = 1;
	return values.map((value) => {
		product *= value;
		return round(product);
	});
}

/** diffusers' rescale_zero_terminal_snr: the square roots of the products shifted and scaled to end at 0. */
function zeroTerminalSnr(betas: Float64Array, round: Rounding): Float64Array {
	const roots = cumulativeProduct(
		betas.map((beta) => round(1 - beta)),
		round,
	).map((product) => round(Math.sqrt(product)));
	const [first, last] = [roots[0], roots[roots.length - 1]];
	const scale = round(first / round(first - last));
	const products = roots.map((root) => {
		const moved = round(round(root - last) * scale);
		return round(moved * moved);
	});
	return products.map((product, i) => round(1 - (i === 0 ? product : round(product / products[i - 1]))));
}

/**
 * The products of (1 - beta) up to each training step, [trainTimesteps], in (0, 1), falling; the last is 0 with zero-SNR betas. `round`:
 * Math.fround gives the official float32 table, bit by bit but for single entries; `inDoubles` the exact one.
 */
export function cumulativeAlphas(config: NoiseScheduleConfig, round: Rounding = Math.fround): Float64Array {
	const betas = betasOf(config, round);
	return cumulativeProduct(
		(config.rescaleBetasZeroSnr ? zeroTerminalSnr(betas, round) : betas).map((beta) => round(1 - beta)),
		round,
	);
}

/** The fields of a scheduler_config.json that describe its noise schedule. Throws a "checkpoint" error naming what it does not know. */
export function noiseScheduleOf(json: Readonly<Record<string, unknown>>, path: string): NoiseScheduleConfig {
	const betaSchedule = json.beta_schedule ?? "linear";
	if (betaSchedule !== "linear" && betaSchedule !== "scaled_linear" && betaSchedule !== "squaredcos_cap_v2") {
		throw new SyncHumanError(
			"checkpoint",
			`${path}: beta_schedule ${JSON.stringify(betaSchedule)} is not supported`,
			"Known: linear, scaled_linear, squaredcos_cap_v2.",
		);
	}
	if (json.trained_betas !== undefined && json.trained_betas !== null) {
		throw new SyncHumanError(
			"checkpoint",
			`${path}: trained_betas is not supported`,
			"Use a checkpoint whose betas follow a beta_schedule.",
		);
	}
	const positive = (name: string, fallback: number): number => {
		const value = json[name] ?? fallback;
		if (typeof value !== "number" || !(value > 0)) {
			throw new SyncHumanError("checkpoint", `${path}: ${name} must be a positive number, is ${JSON.stringify(value)}`);
		}
		return value;
	};
	const trainTimesteps = positive("num_train_timesteps", 1000);
	if (!Number.isInteger(trainTimesteps) || trainTimesteps > 1e6) {
		throw new SyncHumanError("checkpoint", `${path}: num_train_timesteps must be a whole number up to 1,000,000, is ${trainTimesteps}`);
	}
	return {
		trainTimesteps,
		betaStart: positive("beta_start", 0.0001),
		betaEnd: positive("beta_end", 0.02),
		betaSchedule,
		rescaleBetasZeroSnr: json.rescale_betas_zero_snr === true,
	};
}

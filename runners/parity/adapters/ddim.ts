import { roundToFloat16 } from "../../../engine/gpu/float16.ts";
import { compileGraph } from "../../../engine/graph/executable.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { ddimScalars, ddimStep, type PredictionType } from "../../../engine/kernels/dense/ddimStep.ts";
import { type DdimStep, ddimConfigOf, ddimSchedule, ddimTimesteps, syncDreamerSchedule } from "../../../engine/samplers/ddim.ts";
import { cumulativeAlphas, inDoubles, noiseScheduleOf, type Rounding } from "../../../engine/samplers/diffusionSchedule.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";

/** How one configuration samples. */
interface Sampler {
	readonly steps: readonly DdimStep[];
	readonly prediction: PredictionType;
	readonly clipRange?: number | undefined;
}

/** Start, network outputs and noises of a case: [size], [steps, size], [steps, size]. */
interface Material {
	readonly start: Float32Array;
	readonly outputs: Float32Array;
	readonly noises: Float32Array;
}

async function materialOf(context: ParityContext, outputs: string, noises: string): Promise<Material> {
	const values = async (name: string) => Float32Array.from((await context.input(name)).data);
	return { start: await values("x_T"), outputs: await values(outputs), noises: await values(noises) };
}

/** Runs the kernel over whole schedules; one compiled graph for each prediction type and clipping. */
async function kernelRunner(context: ParityContext, { start, outputs, noises }: Material) {
	const device = await context.device();
	const size = start.length;
	const compile = async (prediction: PredictionType, clipRange: number | undefined) => {
		const graph = new Graph(device, context.name);
		const x = graph.input("x", "f32", [size]);
		const output = graph.input("output", "f32", [size]);
		const noise = graph.input("noise", "f32", [size]);
		ddimStep(graph, {
			x,
			conditional: { tensor: output },
			noise: { tensor: noise },
			prediction,
			clipRange,
			step: ddimScalars(graph),
		});
		return { x, output, noise, executable: await compileGraph(graph) };
	};
	const compiled = new Map<string, ReturnType<typeof compile>>();
	return {
		/** The state after every step, [steps, size]. */
		async states({ steps, prediction, clipRange }: Sampler): Promise<Float32Array> {
			const key = `${prediction} ${clipRange}`;
			let ready = compiled.get(key);
			if (ready === undefined) {
				ready = compile(prediction, clipRange);
				compiled.set(key, ready);
			}
			const { x, output, noise, executable } = await ready;
			const states = new Float32Array(steps.length * size);
			executable.write(x, start);
			for (const { index, timestep: _, ...coefficients } of steps) {
				executable.write(output, outputs.slice(index * size, (index + 1) * size));
				executable.write(noise, noises.slice(index * size, (index + 1) * size));
				await executable.run(coefficients);
				states.set(await executable.read(x), index * size);
			}
			return states;
		},
		async destroy() {
			for (const ready of compiled.values()) (await ready).executable.destroy();
		},
	};
}

/** The kernel's formulas on the host, for the precisions that no GPU has, or that only the official code samples in. */
function hostStates({ start, outputs, noises }: Material, { steps, prediction, clipRange }: Sampler, round: Rounding): Float64Array {
	const size = start.length;
	const states = new Float64Array(steps.length * size);
	let x = Float64Array.from(start, round);
	for (const step of steps) {
		const { index } = step;
		// torch rounds the coefficients to the state's type, too.
		const [sqrtAlpha, sqrtBeta] = [round(step.sqrtAlpha), round(step.sqrtBeta)];
		const [sqrtAlphaPrevious, direction, sigma] = [round(step.sqrtAlphaPrevious), round(step.direction), round(step.sigma)];
		x = x.map((sample, i) => {
			const m = round(outputs[index * size + i]);
			const difference = (a: number, b: number) => round(round(a) - round(b));
			const clean =
				prediction === "sample"
					? m
					: prediction === "epsilon"
						? round(difference(sample, sqrtBeta * m) / sqrtAlpha)
						: difference(sqrtAlpha * sample, sqrtBeta * m);
			const error =
				prediction === "epsilon"
					? m
					: prediction === "sample"
						? round(difference(sample, sqrtAlpha * clean) / sqrtBeta)
						: round(round(sqrtAlpha * m) + round(sqrtBeta * sample));
			const kept = clipRange === undefined ? clean : Math.min(Math.max(clean, -clipRange), clipRange);
			const next = round(round(sqrtAlphaPrevious * kept) + round(direction * error));
			return sigma === 0 ? next : round(next + round(sigma * round(noises[index * size + i])));
		});
		states.set(x, index * size);
	}
	return states;
}

async function runDdim(context: ParityContext): Promise<ParityOutputs> {
	const { base, grid } = context.config as { base: object; grid: readonly Readonly<Record<string, unknown>>[] };
	const configOf = (entry: object) => ddimConfigOf({ _class_name: "DDIMScheduler", ...base, ...entry }, "case.json");
	const material = await materialOf(context, "model_output", "variance_noise");
	const kernel = await kernelRunner(context, material);
	const outputs = new Map<string, HostTensor>();
	try {
		for (const name of context.outputNames) {
			const { shape } = context.expected(name);
			const [kind, id] = name.split("/");
			const entry = grid.find((candidate) => candidate.id === id);
			const keep = (data: HostTensor["data"]) => outputs.set(name, { shape, data });
			if (kind.startsWith("alphas_cumprod")) {
				const [betaSchedule, stretched] = id.split(/_(?=zsnr$)/);
				const config = configOf({ ...grid[0], beta_schedule: betaSchedule, rescale_betas_zero_snr: stretched !== undefined });
				const table = cumulativeAlphas(config, kind.endsWith("f64") ? inDoubles : Math.fround);
				keep(kind.endsWith("f64") ? table : Float32Array.from(table));
			} else if (kind === "timesteps") {
				const [, spacing, offset, count] = /^(\w+)_o(\d+)_n(\d+)$/.exec(id) as RegExpExecArray;
				keep(ddimTimesteps(configOf({ ...grid[0], timestep_spacing: spacing, steps_offset: Number(offset) }), Number(count)));
			} else if (entry !== undefined) {
				const config = configOf(entry);
				const round = kind === "x_f64" ? inDoubles : Math.fround;
				const steps = ddimSchedule(config, { steps: entry.steps as number, eta: entry.eta as number, round });
				const sampler = { steps, prediction: config.predictionType, clipRange: config.clipSample ? config.clipSampleRange : undefined };
				if (kind === "sigma_f32") keep(Float32Array.from(steps, (step) => step.sigma));
				else if (kind === "x_f32") keep(await kernel.states(sampler));
				else if (kind === "x_f64") keep(hostStates(material, sampler, inDoubles));
				else if (kind === "x_f16") keep(hostStates(material, sampler, (value) => roundToFloat16(Math.fround(value))));
			}
		}
	} finally {
		await kernel.destroy();
	}
	return outputs;
}

async function runSyncDreamer(context: ParityContext): Promise<ParityOutputs> {
	const config = noiseScheduleOf(context.config, "case.json");
	const material = await materialOf(context, "noise_pred", "noise");
	const kernel = await kernelRunner(context, material);
	const outputs = new Map<string, HostTensor>();
	try {
		for (const name of context.outputNames) {
			const { shape } = context.expected(name);
			const keep = (data: HostTensor["data"]) => outputs.set(name, { shape, data });
			const [, count] = /^timesteps\.(\d+)$/.exec(name) ?? [];
			const [, eta] = /^x\.eta([\d.]+)$/.exec(name) ?? [];
			if (name === "schedule.alphas_cumprod") keep(Float32Array.from(cumulativeAlphas(config, inDoubles)));
			else if (count !== undefined) {
				keep(Int32Array.from(syncDreamerSchedule(config, { steps: Number(count), eta: 1 }), (step) => step.timestep).reverse());
			} else if (eta !== undefined) {
				keep(await kernel.states({ steps: syncDreamerSchedule(config, { steps: 50, eta: Number(eta) }), prediction: "epsilon" }));
			} else if (/^ddim_(sigmas|alphas_prev|alphas|sqrt_one_minus_alphas)$/.test(name)) {
				const steps = [...syncDreamerSchedule(config, { steps: 50, eta: 1, round: inDoubles })].reverse();
				const column = {
					ddim_alphas: (step: DdimStep) => step.sqrtAlpha ** 2,
					ddim_alphas_prev: (step: DdimStep) => step.sqrtAlphaPrevious ** 2,
					ddim_sqrt_one_minus_alphas: (step: DdimStep) => step.sqrtBeta,
				}[name];
				if (column) keep(Float32Array.from(steps, column));
			}
		}
	} finally {
		await kernel.destroy();
	}
	return outputs;
}

/** DDIM in all its configurations: tables, timesteps, and the state after every step. */
export const adapters: Adapters = {
	ddim: {
		runs: "device",
		required: (names) => names.filter((name) => !name.startsWith("x_f64_f32table")),
		run: runDdim,
	},
	ddim_syncdreamer: {
		runs: "device",
		required: (names) => names.filter((name) => /^(x\.|timesteps|ddim_alphas_prev|ddim_sqrt|schedule\.alphas)/.test(name)),
		run: runSyncDreamer,
	},
};

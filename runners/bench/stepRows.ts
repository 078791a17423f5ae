import { defaults } from "../../engine/defaults.ts";
import { readTensor, writeTensor } from "../../engine/gpu/transfer.ts";
import type { Executable } from "../../engine/graph/executable.ts";
import type { Graph } from "../../engine/graph/graph.ts";
import { readCrossSpaceConfig } from "../../engine/models/crossSpaceConfig.ts";
import { declareCrossSpaceDiffusion } from "../../engine/models/crossSpaceDiffusion.ts";
import { runCrossSpaceStep } from "../../engine/models/crossSpaceState.ts";
import { readDinov2Config } from "../../engine/models/dinov2.ts";
import { TorchCpuGenerator } from "../../engine/random/mt19937.ts";
import { stageOneSchedule } from "../../engine/samplers/flowEuler.ts";
import { runDenoisingSteps } from "../../engine/stages/denoisingSteps.ts";
import { type Diffusion, prepareDiffusion } from "../../engine/stages/diffusion.ts";
import { type PartContext, runPart } from "../../engine/stages/part.ts";
import type { Checkpoint } from "../../weights/checkpoint.ts";
import { selectPromptEmbeddings } from "../../weights/promptEmbeddings.ts";
import { Weights } from "../../weights/weights.ts";
import { profileRows } from "./kernelRows.ts";
import type { BenchRow } from "./report.ts";

const component = "SyncHuman_2D3DCrossSpaceDiffusion";

/** The denoising of stage 1, recorded as the engine does for `steps` steps; nothing is loaded or allocated. */
export async function recordedDiffusion(
	context: PartContext,
	checkpoint: Checkpoint,
	dtype: "f16" | "f32",
	steps: number,
): Promise<Diffusion> {
	const engine = await checkpoint.engine();
	const weights = Weights.open(await checkpoint.tensors(component));
	const model = declareCrossSpaceDiffusion(weights, readCrossSpaceConfig(await checkpoint.config(component), engine), dtype);
	weights.finish();
	const prompt = selectPromptEmbeddings(await checkpoint.promptEmbeds("normal"), await checkpoint.promptEmbeds("color"));
	const dino = readDinov2Config(engine);
	return prepareDiffusion(context, weights, model, {
		schedule: stageOneSchedule(steps, defaults.rescaleT),
		guidance: defaults.guidance,
		promptTokens: prompt.shape[1],
		conditionTokens: Math.floor(defaults.inputSize / dino.patchSize) ** 2 + 1 + dino.registers,
		dtype,
	});
}

/** The graph of one step. */
export function stepGraph({ part }: Diffusion): Graph {
	return part.graphs[1];
}

/** What `measureSteps` found. */
export interface StepMeasurement {
	/** Wall time of each step, from the call to the idle GPU. */
	readonly stepMs: readonly number[];
	/** All steps as the engine runs them, each recorded while the one before runs: wall time, and the GPU's own by timestamps, where it has them. */
	readonly loop: { readonly elapsedMs: number; readonly busyMs: number | undefined };
	/** The dispatches of one step with their GPU times; empty unless asked for. */
	readonly dispatches: readonly BenchRow[];
	readonly dispatchCount: number;
	readonly loadSeconds: number;
	readonly plannedBytes: number;
	readonly peakBytes: number;
}

/** Loads the network and runs every step of the schedule on random latents and conditions, after one that is not counted. */
export async function measureSteps(
	context: PartContext,
	{ part, schedule, state, step, inputs }: Diffusion,
	profiled: boolean,
): Promise<StepMeasurement> {
	const { device } = context;
	const generator = new TorchCpuGenerator(defaults.seed);
	const found = await runPart(context, part, async ([conditioning, denoising]) => {
		for (const tensor of Object.values(inputs)) conditioning.write(tensor, generator.normals(sizeOf(tensor.shape)));
		await conditioning.run();
		for (const tensor of [state.latents, state.structureLatent]) writeTensor(device, tensor, generator.normals(sizeOf(tensor.shape)));
		const stepMs: number[] = [];
		for (const { index, timeStep } of [schedule[0], ...schedule]) {
			await device.idle();
			const started = performance.now();
			await runCrossSpaceStep(denoising, step, index, timeStep);
			await device.idle();
			stepMs.push(performance.now() - started);
		}
		const loop = await timedLoop(context, { schedule, state, step }, denoising);
		const dispatches = profiled ? await profileRows(part.graphs[1], denoising) : [];
		return { stepMs: stepMs.slice(1), loop, dispatches, dispatchCount: denoising.dispatchCount };
	});
	const { loadSeconds, plannedBytes, peakBytes } = context.measurements[context.measurements.length - 1];
	return { ...found, loadSeconds, plannedBytes, peakBytes };
}

/** The steps on the latents as they are. */
async function timedLoop(
	context: PartContext,
	{ schedule, state, step }: Pick<Diffusion, "schedule" | "state" | "step">,
	denoising: Executable,
): Promise<StepMeasurement["loop"]> {
	const passes: Promise<number>[] = [];
	const executable: Executable = {
		...denoising,
		async run(scalars) {
			passes.push(denoising.timed(scalars));
		},
	};
	const timed = context.device.report.timestamps ? executable : denoising;
	const tensors = [state.latents, state.structureLatent];
	const noise = await Promise.all(tensors.map((tensor) => readTensor(context.device, tensor)));
	const started = performance.now();
	let elapsedMs = 0;
	const report = (done: number, steps: number) => {
		if (done === steps) elapsedMs = performance.now() - started;
	};
	await runDenoisingSteps(context, report, {
		name: "diffusion",
		schedule,
		state: tensors.map((tensor, i) => ({ tensor, noise: noise[i] })),
		async run({ index, timeStep }) {
			await runCrossSpaceStep(timed, step, index, timeStep);
			return denoising;
		},
	});
	const busy = await Promise.all(passes);
	return { elapsedMs, busyMs: busy.length > 0 ? busy.reduce((sum, ms) => sum + ms, 0) : undefined };
}

function sizeOf(shape: readonly number[]): number {
	return shape.reduce((a, b) => a * b, 1);
}

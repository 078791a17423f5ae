import type { Device } from "../gpu/device.ts";
import { createTensor, type Tensor } from "../gpu/tensor.ts";
import type { Executable } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { flowEulerStep } from "../kernels/dense/flowEulerStep.ts";
import { timestepSinusoidWidth } from "../layers/timestepEmbedder.ts";
import {
	conditionTensors,
	createSlatFlowCondition,
	recordSlatFlow,
	recordSlatFlowCondition,
	type SlatFlow,
	type SlatFlowCondition,
} from "../models/slatFlow.ts";
import type { SlatFlowGeometry } from "../models/slatFlowGeometry.ts";
import type { StageTwoStep } from "../samplers/flowEuler.ts";
import { timestepEmbedding } from "../samplers/timestepEmbedding.ts";

/** One step of the sampler as a graph: velocities, then the update of the state in place. */
export interface SlatStepGraph {
	readonly graph: Graph;
	/** i32 [1], to be written before the step: its index. */
	readonly step: Tensor;
	/** f32 [predictions * voxels, channels]: with the condition, then (where guided) without. Kept between the steps. */
	readonly velocity: Tensor;
}

/** Graphs and state of sampling structured latents, recorded and without memory. */
export interface SlatSampling {
	/** Resident tensors that must have memory before any graph is compiled: the state and what the condition leaves for all steps. */
	readonly resident: readonly Tensor[];
	/** f32 [voxels, channels]: noise before, latents after; not yet multiplied by the latents' deviations. */
	readonly state: Tensor;
	/** Runs once, before the steps. */
	readonly conditionGraph: Graph;
	/** Input of `conditionGraph`: f32 [tokens, contextChannels] features of the picture. */
	readonly cond: Tensor;
	/** Input of `conditionGraph`: f32 [steps, 256] sinusoids of the steps' times. */
	readonly sinusoids: Tensor;
	/** Undefined where no step of the schedule needs it. */
	readonly guided: SlatStepGraph | undefined;
	readonly plain: SlatStepGraph | undefined;
}

/** What is recorded. */
export interface SlatSamplingRequest {
	readonly geometry: SlatFlowGeometry;
	/** Tokens of the picture's features. */
	readonly tokens: number;
	readonly schedule: readonly StageTwoStep[];
	/** Strength s of the guidance (1 + s) c - s n. */
	readonly guidance: number;
}

/** Records sampling with interval guidance. Upstream: FlowEulerGuidanceIntervalSampler over SLatFlowModel. */
export function recordSlatSampling(device: Device, model: SlatFlow, request: SlatSamplingRequest): SlatSampling {
	const { geometry, tokens, schedule } = request;
	const { inChannels, block } = model.config;
	const state = createTensor("latents", "f32", [geometry.levels[0].set.count, inChannels], "resident");
	const condition = createSlatFlowCondition(model, tokens, schedule.length);
	const conditionGraph = new Graph(device, "latent flow: condition");
	const cond = conditionGraph.input("cond", "f32", [tokens, block.contextChannels]);
	const sinusoids = conditionGraph.input("sinusoids", "f32", [schedule.length, timestepSinusoidWidth]);
	recordSlatFlowCondition(conditionGraph, model, { cond, sinusoids }, condition);
	const stepGraph = (guided: boolean) =>
		schedule.some((step) => step.guided === guided) ? recordStep(device, model, { ...request, condition, state }, guided) : undefined;
	return {
		resident: [state, ...conditionTensors(condition)],
		state,
		conditionGraph,
		cond,
		sinusoids,
		guided: stepGraph(true),
		plain: stepGraph(false),
	};
}

interface StepRequest extends SlatSamplingRequest {
	readonly condition: SlatFlowCondition;
	readonly state: Tensor;
}

function recordStep(
	device: Device,
	model: SlatFlow,
	{ geometry, condition, state, guidance }: StepRequest,
	guided: boolean,
): SlatStepGraph {
	const graph = new Graph(device, guided ? "latent flow: guided step" : "latent flow: step");
	const step = graph.input("step", "i32", [1]);
	const velocity = graph.output(
		recordSlatFlow(graph, model, { x: state, step, condition, predictions: guided ? "both" : "conditional", geometry }),
	);
	const [voxels, channels] = state.shape;
	flowEulerStep(graph, {
		x: state,
		conditional: { tensor: velocity },
		...(guided && { unconditional: { tensor: velocity, start: voxels * channels }, form: "extrapolated" as const, guidance }),
		dt: graph.scalar("timeStep", 0),
	});
	return { graph, step, velocity };
}

/** The compiled graphs of a sampling; those it does not have are undefined. */
export interface SlatSamplingExecutables {
	readonly condition: Executable;
	readonly guided: Executable | undefined;
	readonly plain: Executable | undefined;
}

/** Gives the picture's features [tokens, contextChannels] and the schedule's times to all steps; before the first of them. */
export async function runSlatCondition(
	sampling: SlatSampling,
	{ condition }: SlatSamplingExecutables,
	inputs: { readonly cond: Float32Array; readonly schedule: readonly StageTwoStep[] },
): Promise<void> {
	condition.write(sampling.cond, inputs.cond);
	const times = inputs.schedule.map(({ timestep }) => timestep);
	condition.write(sampling.sinusoids, timestepEmbedding(times, timestepSinusoidWidth));
	await condition.run();
}

/** Submits a step on `sampling.state`, noise before the first and latents after the last; gives what ran. */
export async function runSlatStep(sampling: SlatSampling, executables: SlatSamplingExecutables, step: StageTwoStep): Promise<Executable> {
	const recorded = step.guided ? sampling.guided : sampling.plain;
	const executable = step.guided ? executables.guided : executables.plain;
	if (recorded === undefined || executable === undefined) throw new Error("latent flow: the schedule is not the one that was recorded");
	executable.write(recorded.step, Int32Array.of(step.index));
	await executable.run({ timeStep: step.timeStep });
	return executable;
}

/** Latents as the decoders take them: state * deviation + mean, channel by channel, in float32. */
export function denormalizedLatents(state: Float32Array, mean: readonly number[], deviation: readonly number[]): Float32Array {
	const channels = mean.length;
	return state.map((value, i) => Math.fround(value * Math.fround(deviation[i % channels])) + Math.fround(mean[i % channels]));
}

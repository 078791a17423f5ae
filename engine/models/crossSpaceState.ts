// upstream: SyncHuman/models/OneStage/SyncHuman_2D3DCrossSpaceDiffusion.py, what its steps share (IGL-HKUST/SyncHuman 1b540b7)

import { createTensor, type Tensor } from "../gpu/tensor.ts";
import type { Executable } from "../graph/executable.ts";
import type { Graph } from "../graph/graph.ts";
import { synchumanViews } from "../layers/multiviewLayout.ts";
import type { CrossSpaceDiffusion, CrossSpaceStep } from "./crossSpaceDiffusion.ts";
import {
	createMultiviewState,
	type MultiviewConditions,
	type MultiviewState,
	multiviewStateTensors,
	recordMultiviewConditioning,
	stepRows,
} from "./multiviewState.ts";
import { createStructureConditioning, recordStructureConditioning, type StructureConditioning } from "./structureTransformer.ts";

/** Resident tensors that the graphs of a run share: those of the views, and the structure's. */
export interface CrossSpaceState extends MultiviewState {
	/** f32 [resolution^3, channels], (x, y, z) row-major: noise at first, the result at last. */
	readonly structureLatent: Tensor;
	readonly structure: StructureConditioning;
}

/** Numbers of a run. */
export interface CrossSpaceRun {
	readonly steps: number;
	/** Tokens of a prompt. */
	readonly promptTokens: number;
	/** Tokens of the image that the structure network attends to. */
	readonly conditionTokens: number;
}

/** The tensors of a run, without memory: their sizes can be counted before they are allocated. */
export function createCrossSpaceState(model: CrossSpaceDiffusion, run: CrossSpaceRun): CrossSpaceState {
	const { latentSize, latentChannels, structure } = model.config;
	const shape = [structure.resolution ** 3, structure.inChannels];
	return {
		...createMultiviewState(model.unet, {
			layout: synchumanViews,
			latentSize,
			latentChannels,
			steps: run.steps,
			promptTokens: run.promptTokens,
		}),
		structureLatent: createTensor("structure latent", "f32", shape, "resident"),
		structure: createStructureConditioning(model.structure, run.steps, run.conditionTokens),
	};
}

/** All tensors of a state. */
export function stateTensors(state: CrossSpaceState): readonly Tensor[] {
	const { structureLatent, structure } = state;
	return [...multiviewStateTensors(state), structureLatent, ...structure.keyValues, ...structure.zeros, structure.modulations];
}

/** What a run is conditioned on; views in the order front, right, back, left, face. The sinusoids of the UNet are of 1000 t. */
export interface CrossSpaceConditions extends MultiviewConditions {
	/** [tokens, contextChannels] in the network's dtype: picture features for the structure. */
	readonly condition: Tensor;
	/** f32 [steps, timestepSinusoidWidth]: sinusoids of 1000 t rounded to float16. */
	readonly structureSinusoids: Tensor;
}

/** Fills everything of a state but the latents. */
export function recordCrossSpaceConditioning(
	graph: Graph,
	model: CrossSpaceDiffusion,
	state: CrossSpaceState,
	conditions: CrossSpaceConditions,
): void {
	recordMultiviewConditioning(graph, model.unet, state, conditions);
	const { condition, structureSinusoids: sinusoids } = conditions;
	recordStructureConditioning(graph, model.structure, state.structure, { condition, sinusoids });
}

/** Runs step `index` of a compiled `recordCrossSpaceStep` whose dt is the scalar "dt". Resolves when submitted. */
export async function runCrossSpaceStep(executable: Executable, step: CrossSpaceStep, index: number, dt: number): Promise<void> {
	for (const tensor of [step.imageRows, step.blockRows]) {
		executable.write(tensor, stepRows(index, tensor.shape[0]));
	}
	await executable.run({ dt });
}

import type { Device } from "../gpu/device.ts";
import { createTensor, type Tensor } from "../gpu/tensor.ts";
import { allocate, release } from "../gpu/transfer.ts";
import type { Executable } from "../graph/executable.ts";
import type { Graph } from "../graph/graph.ts";
import { gatherRows } from "../kernels/dense/gatherRows.ts";
import { domains, imagesOf, synchumanViews } from "../layers/multiviewLayout.ts";
import type { CrossSpaceDiffusion, CrossSpaceStep } from "./crossSpaceDiffusion.ts";
import { createUnetConditioning, recordUnetConditioning, type UnetConditioning } from "./multiviewUnetConditioning.ts";
import { createStructureConditioning, recordStructureConditioning, type StructureConditioning } from "./structureTransformer.ts";

/** Resident tensors that the graphs of a run share: the latents, and all that is constant over the steps. */
export interface CrossSpaceState {
	/** f32 [views * domains, size, size, latentChannels], view-major: noise at first, the result at last. */
	readonly latents: Tensor;
	/** f32 [resolution^3, channels], (x, y, z) row-major: noise at first, the result at last. */
	readonly structureLatent: Tensor;
	/** f32 [images, size, size, inChannels]: latents beside the image's latents, of both halves. */
	readonly sample: Tensor;
	readonly unet: UnetConditioning;
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

/** The tensors of a run, without memory: their sizes can be counted before `allocateState`. */
export function createCrossSpaceState(model: CrossSpaceDiffusion, run: CrossSpaceRun): CrossSpaceState {
	const { latentSize: size, latentChannels, structure } = model.config;
	const { views } = synchumanViews;
	const resident = (label: string, shape: readonly number[]) => createTensor(label, "f32", shape, "resident");
	return {
		latents: resident("latents", [views * domains, size, size, latentChannels]),
		structureLatent: resident("structure latent", [structure.resolution ** 3, structure.inChannels]),
		sample: resident("sample", [imagesOf(synchumanViews), size, size, model.config.unet.inChannels]),
		unet: createUnetConditioning(model.unet, synchumanViews, run.steps, run.promptTokens),
		structure: createStructureConditioning(model.structure, run.steps, run.conditionTokens),
	};
}

/** All tensors of a state. */
export function stateTensors({ latents, structureLatent, sample, unet, structure }: CrossSpaceState): readonly Tensor[] {
	return [
		latents,
		structureLatent,
		sample,
		...unet.prompts.flat(),
		unet.times,
		...structure.keyValues,
		...structure.zeros,
		structure.modulations,
	];
}

/** Gives every tensor its memory. */
export async function allocateState(device: Device, state: CrossSpaceState): Promise<void> {
	await device.guarded("state of the 2D-3D network", () => {
		for (const { storage } of stateTensors(state)) allocate(device, storage);
	});
}

/** Frees it. */
export function releaseState(device: Device, state: CrossSpaceState): void {
	for (const { storage } of stateTensors(state)) release(device, storage);
}

/** What a run is conditioned on; views in the order front, right, back, left, face, each with normal and colour. */
export interface CrossSpaceConditions {
	/** f32 [views * domains, size, size, inChannels - latentChannels]: encoded pictures. */
	readonly imageLatents: Tensor;
	/** f32 [views * domains, classLabelChannels]: picture embeddings with their noise level. */
	readonly classLabels: Tensor;
	/** [views * domains, tokens, crossAttentionChannels] in the network's dtype. */
	readonly prompt: Tensor;
	/** [tokens, contextChannels] in the network's dtype: picture features for the structure. */
	readonly condition: Tensor;
	/** f32 [steps, timeSinusoidChannels]: sinusoids of 1000 t. */
	readonly unetSinusoids: Tensor;
	/** f32 [steps, timestepSinusoidWidth]: sinusoids of 1000 t rounded to float16. */
	readonly structureSinusoids: Tensor;
}

/** Fills everything of a state but the latents. In the half without condition image latents and class labels are zeros. */
export function recordCrossSpaceConditioning(
	graph: Graph,
	model: CrossSpaceDiffusion,
	state: CrossSpaceState,
	conditions: CrossSpaceConditions,
): void {
	const { prompt, condition } = conditions;
	const images = imagesOf(synchumanViews);
	const [, height, width] = state.latents.shape;
	gatherRows(graph, {
		x: conditions.imageLatents,
		indices: conditionalRows(graph, images * height * width),
		into: { tensor: state.sample, column: model.config.latentChannels },
		label: "image latents",
	});
	const classLabels = gatherRows(graph, { x: conditions.classLabels, indices: conditionalRows(graph, images), label: "class labels" });
	recordUnetConditioning(graph, model.unet, state.unet, { classLabels, prompt, sinusoids: conditions.unetSinusoids });
	recordStructureConditioning(graph, model.structure, state.structure, { condition, sinusoids: conditions.structureSinusoids });
}

/** The rows of the conditional half, behind as many of zeros. */
function conditionalRows(graph: Graph, rows: number): Tensor {
	const conditional = rows / synchumanViews.halves;
	const first = rows - conditional;
	return graph.constant(`second half of ${rows}`, "i32", [rows], () =>
		Int32Array.from({ length: rows }, (_, i) => (i < first ? -1 : i - first)),
	);
}

/** Runs step `index` of a compiled `recordCrossSpaceStep` whose dt is the scalar "dt". Resolves when submitted. */
export async function runCrossSpaceStep(executable: Executable, step: CrossSpaceStep, index: number, dt: number): Promise<void> {
	for (const tensor of [step.imageRows, step.blockRows]) {
		const [rows] = tensor.shape;
		executable.write(
			tensor,
			Int32Array.from({ length: rows }, (_, row) => index * rows + row),
		);
	}
	await executable.run({ dt });
}

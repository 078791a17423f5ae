// upstream: SyncHuman/models/OneStage/SyncHuman_2D3DCrossSpaceDiffusion.py, what the steps of its UNet half share (IGL-HKUST/SyncHuman 1b540b7)

import { createTensor, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { gatherRows } from "../kernels/dense/gatherRows.ts";
import { domains, imagesOf, type MultiviewLayout } from "../layers/multiviewLayout.ts";
import type { MultiviewUnet } from "./multiviewUnet.ts";
import { createUnetConditioning, recordUnetConditioning, type UnetConditioning } from "./multiviewUnetConditioning.ts";

/** Resident tensors that the graphs of a multi-view run share: the latents, and all that is constant over the steps. */
export interface MultiviewState {
	/** f32 [views * domains, size, size, latentChannels], view-major: noise at first, the result at last. */
	readonly latents: Tensor;
	/** f32 [images, size, size, inChannels]: latents beside the image's latents, of both halves. */
	readonly sample: Tensor;
	readonly unet: UnetConditioning;
}

/** Sizes of a run. */
export interface MultiviewRun {
	readonly layout: MultiviewLayout;
	/** Height and width of a latent, and its channels. */
	readonly latentSize: number;
	readonly latentChannels: number;
	readonly steps: number;
	/** Tokens of a prompt. */
	readonly promptTokens: number;
}

/** What a run is conditioned on, for every view normal and colour. */
export interface MultiviewConditions {
	/** f32 [views * domains, size, size, inChannels - latentChannels]: encoded pictures. */
	readonly imageLatents: Tensor;
	/** f32 [views * domains, classLabelChannels]: picture embeddings with their noise level. */
	readonly classLabels: Tensor;
	/** [views * domains, tokens, crossAttentionChannels] in the network's dtype. */
	readonly prompt: Tensor;
	/** f32 [steps, timeSinusoidChannels]: sinusoids of the timesteps. */
	readonly unetSinusoids: Tensor;
}

/** The tensors of a run, without memory: their sizes can be counted before they are allocated. */
export function createMultiviewState(unet: MultiviewUnet, run: MultiviewRun): MultiviewState {
	const { layout, latentSize: size } = run;
	return {
		latents: createTensor("latents", "f32", [layout.views * domains, size, size, run.latentChannels], "resident"),
		sample: createTensor("sample", "f32", [imagesOf(layout), size, size, unet.config.inChannels], "resident"),
		unet: createUnetConditioning(unet, layout, run.steps, run.promptTokens),
	};
}

/** All tensors of a state. */
export function multiviewStateTensors({ latents, sample, unet }: MultiviewState): readonly Tensor[] {
	return [latents, sample, ...unet.prompts.flat(), unet.times];
}

/** Fills everything of a state but the latents. In the half without condition image latents and class labels are zeros. */
export function recordMultiviewConditioning(
	graph: Graph,
	unet: MultiviewUnet,
	state: MultiviewState,
	conditions: MultiviewConditions,
): void {
	const { layout } = state.unet;
	const images = imagesOf(layout);
	const [, height, width, latentChannels] = state.latents.shape;
	gatherRows(graph, {
		x: conditions.imageLatents,
		indices: conditionalRows(graph, layout, images * height * width),
		into: { tensor: state.sample, column: latentChannels },
		label: "image latents",
	});
	const classLabels = gatherRows(graph, {
		x: conditions.classLabels,
		indices: conditionalRows(graph, layout, images),
		label: "class labels",
	});
	recordUnetConditioning(graph, unet, state.unet, { classLabels, prompt: conditions.prompt, sinusoids: conditions.unetSinusoids });
}

/** Writes the latents, which the halves share, into the sample of both; what a step begins with. */
export function recordLatentsOfHalves(graph: Graph, state: MultiviewState): void {
	const { halves } = state.unet.layout;
	const [images, height, width] = state.latents.shape;
	const rows = images * height * width;
	const indices = graph.constant(`latents of ${halves} halves`, "i32", [halves * rows], () =>
		Int32Array.from({ length: halves * rows }, (_, i) => i % rows),
	);
	gatherRows(graph, { x: state.latents, indices, into: { tensor: state.sample }, label: "latents of both halves" });
}

/** The rows of the conditional half, behind as many of zeros. */
function conditionalRows(graph: Graph, layout: MultiviewLayout, rows: number): Tensor {
	const conditional = rows / layout.halves;
	const first = rows - conditional;
	return graph.constant(`second half of ${rows}`, "i32", [rows], () =>
		Int32Array.from({ length: rows }, (_, i) => (i < first ? -1 : i - first)),
	);
}

/** The rows of a step in a table with `rows` rows a step. */
export function stepRows(index: number, rows: number): Int32Array {
	return Int32Array.from({ length: rows }, (_, row) => index * rows + row);
}

import type { Tensor } from "../gpu/tensor.ts";
import { readTensor, writeTensor } from "../gpu/transfer.ts";
import { Graph } from "../graph/graph.ts";
import type { PredictionType } from "../kernels/dense/ddimStep.ts";
import { domains } from "../layers/multiviewLayout.ts";
import {
	createMultiviewState,
	type MultiviewState,
	multiviewStateTensors,
	recordMultiviewConditioning,
	stepRows,
} from "../models/multiviewState.ts";
import type { MultiviewUnet } from "../models/multiviewUnet.ts";
import { type PshumanConfig, type PshumanStep, recordPshumanStep } from "../models/pshumanDiffusion.ts";
import type { DdimStep } from "../samplers/ddim.ts";
import { timestepEmbedding } from "../samplers/timestepEmbedding.ts";
import { requireFinite } from "./finite.ts";
import type { Network } from "./networks.ts";
import { type Part, type PartContext, runPart, stopIfAborted } from "./part.ts";

/** Inputs of the conditioning graph, on the host, view-major. */
export interface PshumanConditions {
	/** [views * domains, size, size, channels] encoded pictures. */
	readonly imageLatents: Float32Array;
	/** [views * domains, classLabelChannels]. */
	readonly classLabels: Float32Array;
	/** [views * domains, tokens, channels]. */
	readonly prompt: Float32Array;
}

/** Noise of a run, [views * domains, size, size, channels], view-major. */
export interface PshumanNoise {
	readonly latents: Float32Array;
	/** Called once for every step, in order; not at all where no noise is added. */
	readonly ofStep: (step: number) => Float32Array;
}

/** The denoising of all views, recorded and without memory. */
export interface PshumanDiffusion {
	readonly part: Part;
	readonly schedule: readonly DdimStep[];
	readonly state: MultiviewState;
	readonly step: PshumanStep;
	readonly inputs: Readonly<Record<keyof PshumanConditions | "unetSinusoids", Tensor>>;
}

/** Records conditioning and one denoising step. */
export function preparePshumanDiffusion(
	context: PartContext,
	{ weights, model: unet }: Network<MultiviewUnet>,
	{ layout, latentSize: size, latentChannels }: PshumanConfig,
	request: {
		readonly schedule: readonly DdimStep[];
		readonly guidance: number;
		readonly prediction: PredictionType;
		readonly clipRange: number | undefined;
		readonly noisy: boolean;
		readonly promptTokens: number;
	},
): PshumanDiffusion {
	const { schedule, promptTokens } = request;
	const { config, dtype } = unet;
	const images = layout.views * domains;
	const state = createMultiviewState(unet, { layout, latentSize: size, latentChannels, steps: schedule.length, promptTokens });
	const conditioning = new Graph(context.device, "conditioning");
	const inputs = {
		imageLatents: conditioning.input("image latents", "f32", [images, size, size, config.inChannels - latentChannels]),
		classLabels: conditioning.input("class labels", "f32", [images, config.classLabelChannels]),
		prompt: conditioning.input("prompt", dtype, [images, promptTokens, config.crossAttentionChannels]),
		unetSinusoids: conditioning.input("times", "f32", [schedule.length, config.timeSinusoidChannels]),
	};
	recordMultiviewConditioning(conditioning, unet, state, inputs);
	const denoising = new Graph(context.device, "denoising");
	const step = recordPshumanStep(denoising, unet, state, request);
	const part = { name: "diffusion", weights: [weights], graphs: [conditioning, denoising], tensors: multiviewStateTensors(state) };
	return { part, schedule, state, step, inputs };
}

/** Denoises under `conditions`: one replay of the step graph for every step of the schedule. Resolves with the latents, view-major. */
export function runPshumanDiffusion(
	context: PartContext,
	{ part, schedule, state, step, inputs }: PshumanDiffusion,
	conditions: PshumanConditions,
	noise: PshumanNoise,
): Promise<Float32Array> {
	const { device } = context;
	return runPart(context, part, async ([conditioning, denoising], report) => {
		for (const name of ["imageLatents", "classLabels", "prompt"] as const) conditioning.write(inputs[name], conditions[name]);
		const [, width] = inputs.unetSinusoids.shape;
		conditioning.write(
			inputs.unetSinusoids,
			timestepEmbedding(
				schedule.map(({ timestep }) => timestep),
				width,
			),
		);
		await conditioning.run();
		writeTensor(device, state.latents, noise.latents);
		let before = noise.latents;
		for (const { index, timestep: _, ...coefficients } of schedule) {
			stopIfAborted(context);
			denoising.write(step.imageRows, stepRows(index, step.imageRows.shape[0]));
			if (step.noise) denoising.write(step.noise, noise.ofStep(index));
			await denoising.run(coefficients);
			const after = await readTensor(device, state.latents);
			await requireFinite(device, part.name, after, () => {
				writeTensor(device, state.latents, before);
				return denoising;
			});
			before = after;
			report(index + 1, schedule.length);
		}
		return before;
	});
}

import type { Weights } from "../../weights/weights.ts";
import type { DType, Tensor } from "../gpu/tensor.ts";
import { Graph } from "../graph/graph.ts";
import { domains, synchumanViews } from "../layers/multiviewLayout.ts";
import { timestepSinusoidWidth } from "../layers/timestepEmbedder.ts";
import { type CrossSpaceDiffusion, type CrossSpaceStep, recordCrossSpaceStep } from "../models/crossSpaceDiffusion.ts";
import {
	type CrossSpaceState,
	createCrossSpaceState,
	recordCrossSpaceConditioning,
	runCrossSpaceStep,
	stateTensors,
} from "../models/crossSpaceState.ts";
import type { StageOneStep } from "../samplers/flowEuler.ts";
import { timestepEmbedding } from "../samplers/timestepEmbedding.ts";
import { runDenoisingSteps } from "./denoisingSteps.ts";
import { type Part, type PartContext, runPart } from "./part.ts";
import { isPreviewed, type WatchLatents } from "./viewPreview.ts";

/** Inputs of the conditioning graph, on the host; rows of views are view-major: (front normal, front colour), (right normal, ... */
export interface DiffusionConditions {
	/** [views * domains, size, size, channels] encoded pictures. */
	readonly imageLatents: Float32Array;
	/** [views * domains, classLabelChannels]. */
	readonly classLabels: Float32Array;
	/** [views * domains, tokens, channels]. */
	readonly prompt: Float32Array;
	/** [tokens, channels] DINOv2 features of the input. */
	readonly condition: Float32Array;
}

/** The latents of both spaces. */
export interface DiffusionLatents {
	/** [views * domains, size, size, channels], view-major. */
	readonly images: Float32Array;
	/** [resolution^3, channels], (x, y, z) row-major. */
	readonly structure: Float32Array;
}

/** The denoising of both spaces, recorded and without memory. */
export interface Diffusion {
	readonly part: Part;
	readonly model: CrossSpaceDiffusion;
	readonly schedule: readonly StageOneStep[];
	readonly state: CrossSpaceState;
	readonly step: CrossSpaceStep;
	readonly inputs: Readonly<Record<keyof DiffusionConditions | "unetSinusoids" | "structureSinusoids", Tensor>>;
}

/** Records conditioning and one denoising step. */
export function prepareDiffusion(
	context: PartContext,
	weights: Weights,
	model: CrossSpaceDiffusion,
	request: {
		readonly schedule: readonly StageOneStep[];
		readonly guidance: number;
		readonly promptTokens: number;
		readonly conditionTokens: number;
		readonly dtype: DType;
	},
): Diffusion {
	const { schedule, guidance, promptTokens, conditionTokens, dtype } = request;
	const { latentSize: size, latentChannels, unet, structure } = model.config;
	const images = synchumanViews.views * domains;
	const state = createCrossSpaceState(model, { steps: schedule.length, promptTokens, conditionTokens });
	const conditioning = new Graph(context.device, "conditioning");
	const inputs = {
		imageLatents: conditioning.input("image latents", "f32", [images, size, size, unet.inChannels - latentChannels]),
		classLabels: conditioning.input("class labels", "f32", [images, unet.classLabelChannels]),
		prompt: conditioning.input("prompt", dtype, [images, promptTokens, unet.crossAttentionChannels]),
		condition: conditioning.input("condition", dtype, [conditionTokens, structure.block.contextChannels]),
		unetSinusoids: conditioning.input("times of the UNet", "f32", [schedule.length, unet.timeSinusoidChannels]),
		structureSinusoids: conditioning.input("times of the structure", "f32", [schedule.length, timestepSinusoidWidth]),
	};
	recordCrossSpaceConditioning(conditioning, model, state, inputs);
	const denoising = new Graph(context.device, "denoising");
	const step = recordCrossSpaceStep(denoising, model, state, { dt: denoising.scalar("dt", 0), guidance });
	return {
		part: { name: "diffusion", weights: [weights], graphs: [conditioning, denoising], tensors: stateTensors(state) },
		model,
		schedule,
		state,
		step,
		inputs,
	};
}

/**
 * Denoises `noise` under `conditions`: one replay of the step graph for every step of the schedule. `watch` is called with the images'
 * latents after some of the steps.
 */
export function runDiffusion(
	context: PartContext,
	{ part, model, schedule, state, step, inputs }: Diffusion,
	conditions: DiffusionConditions,
	noise: DiffusionLatents,
	watch?: WatchLatents,
): Promise<DiffusionLatents> {
	return runPart(context, part, async ([conditioning, denoising], report) => {
		for (const name of ["imageLatents", "classLabels", "prompt", "condition"] as const) conditioning.write(inputs[name], conditions[name]);
		conditioning.write(
			inputs.unetSinusoids,
			timestepEmbedding(
				schedule.map(({ unetTimestep }) => unetTimestep),
				model.config.unet.timeSinusoidChannels,
			),
		);
		conditioning.write(
			inputs.structureSinusoids,
			timestepEmbedding(
				schedule.map(({ structureTimestep }) => structureTimestep),
				timestepSinusoidWidth,
			),
		);
		await conditioning.run();
		const [images, structure] = await runDenoisingSteps(context, report, {
			name: part.name,
			schedule,
			state: [
				{ tensor: state.latents, noise: noise.images },
				{ tensor: state.structureLatent, noise: noise.structure },
			],
			async run({ index, timeStep }) {
				await runCrossSpaceStep(denoising, step, index, timeStep);
				return denoising;
			},
			watched: watch && ((current) => (isPreviewed(current.index, schedule.length) ? (images) => watch(current, images) : undefined)),
		});
		return { images, structure };
	});
}

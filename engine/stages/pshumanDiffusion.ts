import type { Tensor } from "../gpu/tensor.ts";
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
import { runDenoisingSteps } from "./denoisingSteps.ts";
import type { Network } from "./networks.ts";
import { type Part, type PartContext, runPart } from "./part.ts";

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
	/** Called once for every step, in order; not at all where no noise is added. The values are kept until the run ends. */
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
		// What is drawn in order stays as it is where steps are repeated.
		const drawn: Float32Array[] = [];
		const [latents] = await runDenoisingSteps(context, report, {
			name: part.name,
			schedule,
			state: [{ tensor: state.latents, noise: noise.latents }],
			async run({ index, timestep: _, ...coefficients }) {
				denoising.write(step.imageRows, stepRows(index, step.imageRows.shape[0]));
				if (step.noise) {
					drawn[index] ??= noise.ofStep(index);
					denoising.write(step.noise, drawn[index]);
				}
				await denoising.run(coefficients);
				return denoising;
			},
		});
		return latents;
	});
}

// upstream: mvdiffusion/pipelines/pipeline_mvdiffusion_unclip.py (pengHTYX/PSHuman f2a6351), its denoising loop on the UNet

import type { ConfigReader } from "../../weights/configReader.ts";
import { elementCount, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { ddimScalars, ddimStep, type PredictionType } from "../kernels/dense/ddimStep.ts";
import { gatherRows } from "../kernels/dense/gatherRows.ts";
import { faceLastViews, imagesOf, type MultiviewLayout } from "../layers/multiviewLayout.ts";
import { type MultiviewState, recordLatentsOfHalves } from "./multiviewState.ts";
import { type MultiviewUnet, recordMultiviewUnet } from "./multiviewUnet.ts";
import { readUnetConfig, requireFixed, type UnetConfig } from "./unetConfig.ts";

/** PSHuman's UNet: the 2D half of SyncHuman's network, alone. */
export interface PshumanConfig {
	readonly unet: UnetConfig;
	readonly layout: MultiviewLayout;
	/** Height and width of a latent, and its channels. */
	readonly latentSize: number;
	readonly latentChannels: number;
}

/** Reads unet/config.json; the last of its views is the face. Throws code "checkpoint" where the engine has no code for what it asks. */
export function readPshumanConfig(config: ConfigReader): PshumanConfig {
	requireFixed(config, { dual_cross_attention: false, class_embeddings_concat: false, use_dino: false });
	const views = config.integer("num_views", { min: 2, max: 32 });
	const latentChannels = config.integer("out_channels", { min: 1 });
	return {
		unet: readUnetConfig(config),
		layout: faceLastViews(views),
		latentSize: config.integer("sample_size", { min: 8 }),
		latentChannels,
	};
}

/** What a recorded denoising step shows to its caller. */
export interface PshumanStep {
	/** i32 [images], to be written before every run: rows of the time projections that belong to the step (`stepRows`). */
	readonly imageRows: Tensor;
	/** f32 in the latents' shape: fresh normal numbers, to be written before every run; undefined without. */
	readonly noise: Tensor | undefined;
	/** f32 [images, size, size, latentChannels]: what the network says, both halves. */
	readonly output: Tensor;
}

/**
 * Records one denoising step: the network on the state's latents, guidance u + guidance (c - u), and DDIM's step, in place. Replayed for
 * every step with its coefficients (`ddimScalars`).
 */
export function recordPshumanStep(
	graph: Graph,
	unet: MultiviewUnet,
	state: MultiviewState,
	step: { readonly guidance: number; readonly prediction: PredictionType; readonly clipRange: number | undefined; readonly noisy: boolean },
): PshumanStep {
	const { latents } = state;
	const { layout } = state.unet;
	const imageRows = graph.input("rows of the images' times", "i32", [imagesOf(layout)]);
	const noise = step.noisy ? graph.input("noise", "f32", latents.shape) : undefined;
	recordLatentsOfHalves(graph, state);
	const times = gatherRows(graph, { x: state.unet.times, indices: imageRows, label: "times" });
	const output = recordMultiviewUnet(graph, unet, { sample: state.sample, layout, times, prompts: state.unet.prompts });
	ddimStep(graph, {
		x: latents,
		unconditional: { tensor: output },
		// The conditional half comes second.
		conditional: { tensor: output, start: elementCount(latents.shape) },
		guidance: step.guidance,
		noise: noise && { tensor: noise },
		prediction: step.prediction,
		clipRange: step.clipRange,
		step: ddimScalars(graph),
	});
	return { imageRows, noise, output };
}

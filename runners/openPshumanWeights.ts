import { readAutoencoderConfig } from "../engine/models/autoencoderConfig.ts";
import { declareAutoencoderKl } from "../engine/models/autoencoderKl.ts";
import { declareClipVision, readClipVisionConfig } from "../engine/models/clipVision.ts";
import { declareMultiviewUnet } from "../engine/models/multiviewUnet.ts";
import { readPshumanConfig } from "../engine/models/pshumanDiffusion.ts";
import { ddimConfigOf } from "../engine/samplers/ddim.ts";
import { noiseScheduleOf } from "../engine/samplers/diffusionSchedule.ts";
import { readClipPreprocessing } from "../engine/stages/clipPreprocessing.ts";
import type { ConfigReader } from "../weights/configReader.ts";
import { openPshumanCheckpoint, type PshumanCheckpoint, type PshumanComponent } from "../weights/pshumanCheckpoint.ts";
import { syntheticPshuman } from "../weights/syntheticPshuman.ts";
import { Weights } from "../weights/weights.ts";
import { type OpenedWeights, openNamedWeights } from "./openWeights.ts";

/** In the order in which a run reads them. */
export const pshumanComponents: readonly PshumanComponent[] = ["image_encoder", "vae", "unet", "image_normalizer"];

const declarations: Readonly<Record<Exclude<PshumanComponent, "image_normalizer">, (weights: Weights, config: ConfigReader) => unknown>> =
	Object.freeze({
		image_encoder: (weights, config) => declareClipVision(weights, readClipVisionConfig(config), "f32"),
		vae: (weights, config) => declareAutoencoderKl(weights, readAutoencoderConfig(config), "f32"),
		unet: (weights, config) => declareMultiviewUnet(weights, readPshumanConfig(config).unet, "f32"),
	});

/**
 * A reader on which a whole network of a PSHuman checkpoint is declared: `declared` lists its tensors, `finish` compares them with the file.
 * Throws code "checkpoint".
 */
export async function declarePshumanComponent(checkpoint: PshumanCheckpoint, component: PshumanComponent): Promise<Weights> {
	const weights = Weights.open(await checkpoint.tensors(component));
	if (component === "image_normalizer") {
		const { projectionChannels } = readClipVisionConfig(await checkpoint.config("image_encoder"));
		for (const leaf of ["mean", "std"]) weights.tensor(leaf, [1, projectionChannels], { dtype: "f32" });
	} else declarations[component](weights, await checkpoint.config(component));
	return weights;
}

/**
 * A PSHuman checkpoint folder, or synthetic weights by name. Of a folder every file that a run needs is looked at, the headers of the weights
 * compared with the networks. Throws code "checkpoint".
 */
export function openPshumanWeights(name: string): Promise<OpenedWeights<PshumanCheckpoint>> {
	return openNamedWeights(name, syntheticPshuman, async (folder) => {
		const checkpoint = await openPshumanCheckpoint(folder);
		for (const component of pshumanComponents) (await declarePshumanComponent(checkpoint, component)).finish();
		const { json, path } = await checkpoint.scheduler("scheduler");
		ddimConfigOf(json, path);
		const noising = await checkpoint.scheduler("image_noising_scheduler");
		noiseScheduleOf(noising.json, noising.path);
		readClipPreprocessing(await checkpoint.config("feature_extractor"));
		for (const views of ["normal", "color"] as const) await checkpoint.promptEmbeds(views);
		return checkpoint;
	});
}

import type { PshumanCheckpoint } from "../../weights/pshumanCheckpoint.ts";
import { describeShape, sameShape, toFloat32 } from "../../weights/storedTensor.ts";
import { defaults } from "../defaults.ts";
import { SyncHumanError } from "../error.ts";
import { roundToFloat16 } from "../gpu/float16.ts";
import type { DType } from "../gpu/tensor.ts";
import { type FloatImage, type Image, truncateToImage } from "../image/image.ts";
import { loadPersonAndFace } from "../image/personImage.ts";
import { type PshumanPictures, pshumanPictures } from "../image/pshumanViews.ts";
import { domains } from "../layers/multiviewLayout.ts";
import { readAutoencoderConfig } from "../models/autoencoderConfig.ts";
import { readClipVisionConfig } from "../models/clipVision.ts";
import { declareMultiviewUnet } from "../models/multiviewUnet.ts";
import { readPshumanConfig } from "../models/pshumanDiffusion.ts";
import type { TorchCudaGenerator } from "../random/philox.ts";
import { type DdimStep, ddimConfigOf, ddimSchedule } from "../samplers/ddim.ts";
import { noiseScheduleOf } from "../samplers/diffusionSchedule.ts";
import { concatenated, imagesFromOfficial, imagesOfPictures, split, withNoiseLevel } from "./imageArrangement.ts";
import { noiseImageEmbeddings } from "./imageNoise.ts";
import { type PartContext, planStage } from "./part.ts";
import { preparePictureNetworks } from "./pictureNetworks.ts";
import { preparePshumanDiffusion, runPshumanDiffusion } from "./pshumanDiffusion.ts";

/** How a run of PSHuman samples. */
export interface PshumanSampling {
	readonly checkpoint: PshumanCheckpoint;
	readonly dtype: DType;
	readonly steps: number;
	readonly guidance: number;
	/** 0 deterministic, 1 as much fresh noise as DDPM. */
	readonly eta: number;
	/** Hears of what a run does that its user should know. */
	readonly onRemark?: ((remark: string) => void) | undefined;
}

/** One picture to views. */
export interface PshumanRequest extends PshumanSampling {
	/** RGBA, the person cut out. */
	readonly image: Image;
	/** Pixels, of 768, that the person's longer side is fitted to (740); negative: the whole picture. */
	readonly cropSize: number;
	/** Where all noise is drawn from: freshly seeded for every picture, or handed on from picture to picture as upstream does. */
	readonly generator: TorchCudaGenerator;
}

/** Pictures and noise of a run, as `runPshumanOn` takes them; noise in the official order, channels first. */
export interface PshumanInputs {
	/** RGB pictures of the person and the face, square, 8 pixels a latent. */
	readonly person: Image;
	readonly face: Image;
	/** [views * domains, projection channels] for the embeddings. */
	readonly embeddingNoise: Float32Array;
	/** [views * domains, channels, size, size] to begin with. */
	readonly latents: Float32Array;
	/** The same for a step; called once for every step, in order, and only where eta > 0. The values are kept until the run ends. */
	readonly stepNoise: (step: number) => Float32Array;
}

/** What PSHuman's networks compute. */
export interface PshumanTensors {
	/** [views * domains] pictures in [0, 1]; view-major, normal before colour. */
	readonly views: readonly FloatImage[];
	/** [views * domains, 2 * projection channels], view-major: embeddings with noise and its level. */
	readonly classLabels: Float32Array;
	/** [views * domains, size, size, channels], view-major. */
	readonly imageLatents: Float32Array;
	readonly latents: Float32Array;
	readonly schedule: readonly DdimStep[];
}

/** The noise level that pictures are embedded with; upstream's pipeline has no other. */
const noiseLevel = 0;

/** Picture to seven views. Upstream: inference.py's run_inference (pengHTYX/PSHuman f2a6351). */
export async function runPshuman(context: PartContext, request: PshumanRequest): Promise<PshumanPictures> {
	const { image, cropSize, generator, checkpoint } = request;
	const { layout, latentSize, latentChannels } = readPshumanConfig(await checkpoint.config("unet"));
	const { projectionChannels } = readClipVisionConfig(await checkpoint.config("image_encoder"));
	const vae = readAutoencoderConfig(await checkpoint.config("vae"));
	const size = latentSize * 2 ** (vae.channels.length - 1);
	const { person, face } = loadPersonAndFace(image, size, cropSize < 0 ? cropSize : Math.round((cropSize * size) / defaults.viewSize));
	const images = layout.views * domains;
	const normals = (each: number) => generator.normals(images * each, "f16");
	const embeddingNoise = normals(projectionChannels);
	const latents = normals(latentChannels * latentSize ** 2);
	const { views } = await runPshumanOn(context, request, {
		person: truncateToImage(person),
		face: truncateToImage(face),
		embeddingNoise,
		latents,
		stepNoise: () => normals(latentChannels * latentSize ** 2),
	});
	const of = (domain: number) => views.filter((_, index) => index % domains === domain);
	return pshumanPictures(person, of(1), of(0));
}

/** All networks of PSHuman on prepared inputs. */
export async function runPshumanOn(context: PartContext, request: PshumanSampling, inputs: PshumanInputs): Promise<PshumanTensors> {
	const { checkpoint, dtype } = request;
	const config = readPshumanConfig(await checkpoint.config("unet"));
	const { layout, latentSize, latentChannels } = config;
	const pictures = [inputs.person, inputs.face];
	const { embedding, encoding, decoding } = await preparePictureNetworks(context, {
		...{ checkpoint, dtype, latentSize, latentChannels },
		featureExtractor: await checkpoint.config("feature_extractor"),
		pictures: pictures.length,
		pixels: inputs.person.width,
	});

	const sampler = await checkpoint.scheduler("scheduler");
	const ddim = ddimConfigOf(sampler.json, sampler.path);
	const schedule = ddimSchedule(ddim, { steps: request.steps, eta: request.eta, ...(request.onRemark && { onClamp: request.onRemark }) });
	const prompt = await promptOf(checkpoint, layout.views);
	const network = await context.networks.open({
		...{ checkpoint, dtype },
		component: "unet",
		declare: (weights) => declareMultiviewUnet(weights, config.unet, dtype),
	});
	const diffusion = preparePshumanDiffusion(context, network, config, {
		schedule,
		guidance: request.guidance,
		prediction: ddim.predictionType,
		clipRange: ddim.clipSample ? ddim.clipSampleRange : undefined,
		noisy: request.eta > 0,
		promptTokens: prompt.tokens,
	});

	const noising = await checkpoint.scheduler("image_noising_scheduler");
	const noiseSchedule = noiseScheduleOf(noising.json, noising.path);
	const normalizer = await checkpoint.tensors("image_normalizer");
	const { projectionChannels } = readClipVisionConfig(await checkpoint.config("image_encoder"));
	const vector = async (name: string) => toFloat32(await normalizer.read(name, [1, projectionChannels]));
	const statistics = { mean: await vector("mean"), deviation: await vector("std") };

	await planStage(context, "PSHuman", [embedding.part, encoding.part, diffusion.part, decoding.part]);

	const embeddings = await embedding.run(pictures);
	const encoded = await encoding.run(pictures);
	const noisy = noiseImageEmbeddings(
		imagesOfPictures(layout, embeddings),
		imagesFromOfficial(inputs.embeddingNoise, layout.views),
		statistics,
		{ schedule: noiseSchedule, level: noiseLevel, round: dtype === "f16" ? (value) => roundToFloat16(Math.fround(value)) : Math.fround },
	);
	const conditions = {
		imageLatents: imagesOfPictures(layout, encoded),
		classLabels: concatenated(split(noisy, layout.views * domains).map((values) => withNoiseLevel(values, noiseLevel))),
		prompt: prompt.values,
	};
	const latents = await runPshumanDiffusion(context, diffusion, conditions, {
		latents: imagesFromOfficial(inputs.latents, layout.views, latentChannels),
		ofStep: (step) => imagesFromOfficial(inputs.stepNoise(step), layout.views, latentChannels),
	});
	const views = await decoding.run(latents);
	return {
		views,
		...conditions,
		latents,
		schedule,
	};
}

/** Both files of prompt embeddings, all rows in their order, view-major. */
async function promptOf(checkpoint: PshumanCheckpoint, views: number): Promise<{ readonly values: Float32Array; readonly tokens: number }> {
	const [normal, color] = [await checkpoint.promptEmbeds("normal"), await checkpoint.promptEmbeds("color")];
	const [rows, tokens] = normal.shape;
	if (normal.shape.length !== 3 || rows !== views || !sameShape(normal.shape, color.shape)) {
		throw new SyncHumanError(
			"checkpoint",
			`${checkpoint.name}: normal_embeds.pt and clr_embeds.pt must both be [${views}, tokens, width], got ${describeShape(normal.shape)} and ${describeShape(color.shape)}`,
			"Take both from PSHuman's code repository, mvdiffusion/data/fixed_prompt_embeds_7view.",
		);
	}
	return { values: imagesFromOfficial(concatenated([toFloat32(normal), toFloat32(color)]), views), tokens };
}

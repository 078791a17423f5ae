import type { Checkpoint } from "../../weights/checkpoint.ts";
import { selectPromptEmbeddings } from "../../weights/promptEmbeddings.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import type { Weights } from "../../weights/weights.ts";
import { defaults } from "../defaults.ts";
import type { DType } from "../gpu/tensor.ts";
import { clipPixels } from "../image/clipPixels.ts";
import { type FloatImage, type Image, truncateToImage, vaeInput } from "../image/image.ts";
import { centredOnBlack, loadPersonAndFace } from "../image/personImage.ts";
import { decodedToFloat, inputForDino, pasteFaceNormals, quantize } from "../image/stageViews.ts";
import { domains, synchumanViews } from "../layers/multiviewLayout.ts";
import { readAutoencoderConfig } from "../models/autoencoderConfig.ts";
import { declareAutoencoderDecoder, declareAutoencoderEncoder, recordDecode, recordEncode } from "../models/autoencoderKl.ts";
import { declareClipVision, readClipVisionConfig, recordClipVision } from "../models/clipVision.ts";
import { readCrossSpaceConfig } from "../models/crossSpaceConfig.ts";
import { declareCrossSpaceDiffusion } from "../models/crossSpaceDiffusion.ts";
import { declareDinov2, readDinov2Config, recordDinov2 } from "../models/dinov2.ts";
import {
	declareSparseStructureDecoder,
	occupiedVoxels,
	readSparseStructureDecoderConfig,
	recordSparseStructureDecoder,
} from "../models/sparseStructureDecoder.ts";
import { TorchCpuGenerator } from "../random/mt19937.ts";
import { TorchCudaGenerator } from "../random/philox.ts";
import { stageOneSchedule } from "../samplers/flowEuler.ts";
import { readClipPreprocessing } from "./clipPreprocessing.ts";
import { type DiffusionLatents, prepareDiffusion, runDiffusion } from "./diffusion.ts";
import { channelsLast, concatenated, imagesFromOfficial, imagesOfPictures, split, withNoiseLevel } from "./imageArrangement.ts";
import { type PartContext, planStage } from "./part.ts";
import type { StageOneResult } from "./results.ts";
import { singleGraphPart } from "./singleGraphPart.ts";

/** What a run of stage 1 is made from. */
export interface StageOneRequest {
	readonly checkpoint: Checkpoint;
	readonly dtype: DType;
	/** RGBA, the person cut out. */
	readonly image: Image;
	readonly seed: number;
	readonly steps: number;
	readonly guidance: number;
}

/** Pictures, noise and prompt of a run, as `runStageOneOn` takes them. */
export interface StageOneInputs {
	/** RGB pictures of the person and the face, as CLIP and the VAE see them; square, 8 pixels a latent. */
	readonly person: Image;
	readonly face: Image;
	/** What DINOv2 sees: 518 pixels on black. */
	readonly centred: Image;
	readonly noise: DiffusionLatents;
}

/** What stage 1 computes, before views are pasted and quantised. */
export interface StageOneTensors {
	/** [views * domains] pictures in [0, 1]; view-major, normal before colour. */
	readonly views: readonly FloatImage[];
	readonly latents: DiffusionLatents;
	/** [resolution^3] occupancy. */
	readonly logits: Float32Array;
	/** Rows (0, x, y, z) of the occupied voxels. */
	readonly coordinates: Int32Array;
}

const { views: viewCount, faceView } = synchumanViews;

/** Picture to views and voxels. Upstream: SyncHumanOneStagePipeline.run. */
export async function runStageOne(context: PartContext, request: StageOneRequest): Promise<StageOneResult> {
	const { image, seed, checkpoint } = request;
	const config = readCrossSpaceConfig(await checkpoint.config("SyncHuman_2D3DCrossSpaceDiffusion"), await checkpoint.engine());
	const { projectionChannels } = readClipVisionConfig(await checkpoint.config("image_encoder"));
	const vae = readAutoencoderConfig(await checkpoint.config("vae"));
	const { latentSize, latentChannels } = config;
	const { person, face } = loadPersonAndFace(image, latentSize * 2 ** (vae.channels.length - 1));
	const cuda = new TorchCudaGenerator(seed);
	// Upstream draws noise for the picture embeddings and never uses it.
	cuda.normals(viewCount * domains * projectionChannels, "f16");
	const drawn = cuda.normals(viewCount * domains * latentChannels * latentSize ** 2, "f16");
	const structure = new TorchCpuGenerator(seed).normals(config.structure.inChannels * config.structure.resolution ** 3);
	const { views, coordinates } = await runStageOneOn(context, request, {
		person: truncateToImage(person),
		face: truncateToImage(face),
		centred: centredOnBlack(image, defaults.inputSize),
		noise: {
			images: imagesFromOfficial(drawn, viewCount, latentChannels),
			structure: channelsLast(structure, config.structure.inChannels),
		},
	});
	const normals = views.filter((_, index) => index % domains === 0);
	const colors = views.filter((_, index) => index % domains === 1);
	if (faceView !== undefined) normals[0] = pasteFaceNormals(normals[0], normals[faceView]);
	// The front colour view is the input itself.
	colors[0] = person;
	return { input: image, colors: colors.map(quantize), normals: normals.map(quantize), coordinates };
}

/** All networks of stage 1 on prepared inputs. */
export async function runStageOneOn(
	context: PartContext,
	request: Omit<StageOneRequest, "image" | "seed">,
	inputs: StageOneInputs,
): Promise<StageOneTensors> {
	const { checkpoint, dtype } = request;
	const engine = await checkpoint.engine();
	const open = <Model>(component: Parameters<Checkpoint["tensors"]>[0], declare: (weights: Weights) => Model, within?: readonly string[]) =>
		context.networks.open({ checkpoint, dtype, component, declare, ...(within && { within }) });
	const pictures = [inputs.person, inputs.face];

	const clipConfig = readClipVisionConfig(await checkpoint.config("image_encoder"));
	const clipNetwork = await open("image_encoder", (weights) => declareClipVision(weights, clipConfig, dtype));
	const preprocessing = readClipPreprocessing(await checkpoint.featureExtractor());
	const clip = singleGraphPart(context, "image embedding", clipNetwork, (graph, model) => {
		const pixels = graph.input("pixels", "f32", [pictures.length, preprocessing.cropHeight, preprocessing.cropWidth, 3]);
		return { input: pixels, output: recordClipVision(graph, model, pixels) };
	});

	const vaeConfig = readAutoencoderConfig(await checkpoint.config("vae"));
	const encoder = await open("vae", (weights) => declareAutoencoderEncoder(weights, vaeConfig, dtype), ["encoder", "quant_conv"]);
	const pixels = inputs.person.width;
	const encoding = singleGraphPart(context, "picture encoding", encoder, (graph, model) => {
		const picture = graph.input("pictures", "f32", [pictures.length, pixels, pixels, 3]);
		return { input: picture, output: recordEncode(graph, model, picture) };
	});

	const dinoNetwork = await open("dinov2", (weights) => declareDinov2(weights, readDinov2Config(engine), dtype));
	const dino = singleGraphPart(context, "picture features", dinoNetwork, (graph, model) => {
		const picture = graph.input("picture", "f32", [1, inputs.centred.height, inputs.centred.width, 3]);
		const { condition } = recordDinov2(graph, model, { pixels: picture, condition: true });
		if (condition === undefined) throw new Error("DINOv2 gave no condition");
		return { input: picture, output: condition };
	});

	const prompt = selectPromptEmbeddings(await checkpoint.promptEmbeds("normal"), await checkpoint.promptEmbeds("color"));
	const config = readCrossSpaceConfig(await checkpoint.config("SyncHuman_2D3DCrossSpaceDiffusion"), engine);
	const network = await open("SyncHuman_2D3DCrossSpaceDiffusion", (weights) => declareCrossSpaceDiffusion(weights, config, dtype));
	const diffusion = prepareDiffusion(context, network.weights, network.model, {
		schedule: stageOneSchedule(request.steps, defaults.rescaleT),
		guidance: request.guidance,
		promptTokens: prompt.shape[1],
		conditionTokens: dino.output.shape[1],
		dtype,
	});

	const decoder = await open("vae", (weights) => declareAutoencoderDecoder(weights, vaeConfig, dtype), ["decoder", "post_quant_conv"]);
	const decoding = singleGraphPart(context, "view decoding", decoder, (graph, model) => {
		const latent = graph.input("latent", "f32", [1, config.latentSize, config.latentSize, config.latentChannels]);
		return { input: latent, output: recordDecode(graph, model, latent) };
	});

	const structureConfig = readSparseStructureDecoderConfig(await checkpoint.config("sparse_structure_decoder"));
	const structureDecoder = await open("sparse_structure_decoder", (weights) =>
		declareSparseStructureDecoder(weights, structureConfig, dtype),
	);
	const { resolution, inChannels } = config.structure;
	const structure = singleGraphPart(context, "structure decoding", structureDecoder, (graph, model) => {
		const latent = graph.input("latent", "f32", [1, resolution, resolution, resolution, inChannels]);
		return { input: latent, output: recordSparseStructureDecoder(graph, model, latent) };
	});

	planStage(context, "stage 1", [clip.part, encoding.part, dino.part, diffusion.part, decoding.part, structure.part]);

	const [embeds] = await clip.run([concatenated(pictures.map((picture) => clipPixels(picture, preprocessing).data))]);
	const [encoded] = await encoding.run([concatenated(pictures.map((picture) => vaeInput(picture).data))]);
	const [condition] = await dino.run([inputForDino(inputs.centred).data]);
	const labels = split(embeds, pictures.length).map((embedding) => withNoiseLevel(embedding, 0));
	const latents = await runDiffusion(
		context,
		diffusion,
		{
			imageLatents: imagesOfPictures(synchumanViews, split(encoded, pictures.length)),
			classLabels: imagesOfPictures(synchumanViews, labels),
			prompt: imagesFromOfficial(toFloat32(prompt), viewCount),
			condition,
		},
		inputs.noise,
	);
	const decoded = await decoding.run(split(latents.images, viewCount * domains));
	const [logits] = await structure.run([latents.structure]);
	return {
		views: decoded.map((data) => decodedToFloat({ width: pixels, height: pixels, channels: 3, data })),
		latents,
		logits,
		coordinates: occupiedVoxels(logits, structure.output.shape[1]),
	};
}

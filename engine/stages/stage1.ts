import type { Checkpoint } from "../../weights/checkpoint.ts";
import { selectPromptEmbeddings } from "../../weights/promptEmbeddings.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import type { Weights } from "../../weights/weights.ts";
import { defaults } from "../defaults.ts";
import type { DType } from "../gpu/tensor.ts";
import { checkPersonImage } from "../image/foreground.ts";
import { type FloatImage, type Image, truncateToImage } from "../image/image.ts";
import { centredOnBlack, loadPersonAndFace } from "../image/personImage.ts";
import { inputForDino, pasteFaceNormals, quantize } from "../image/stageViews.ts";
import { domains, synchumanViews } from "../layers/multiviewLayout.ts";
import { readAutoencoderConfig } from "../models/autoencoderConfig.ts";
import { readClipVisionConfig } from "../models/clipVision.ts";
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
import { type DiffusionLatents, prepareDiffusion, runDiffusion } from "./diffusion.ts";
import { channelsLast, imagesFromOfficial, imagesOfPictures, withNoiseLevel } from "./imageArrangement.ts";
import { type PartContext, planStage } from "./part.ts";
import { preparePictureNetworks } from "./pictureNetworks.ts";
import type { StageOneResult } from "./results.ts";
import { singleGraphPart } from "./singleGraphPart.ts";
import { fitLatentColors, previewing } from "./viewPreview.ts";

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

/** Sides of the pictures in `StageOneInputs`. */
export interface StageOneSizes {
	/** Of person and face: 8 pixels a latent. */
	readonly pixels: number;
	readonly centredPixels: number;
}

/** Pictures and noise of a run; the pictures are RGB and square. */
export interface StageOneInputs {
	/** Of the person and the face, as CLIP and the VAE see them. */
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
	const pixels = latentSize * 2 ** (vae.channels.length - 1);
	checkPersonImage(image);
	const run = await prepareStageOne(context, request, { pixels, centredPixels: defaults.inputSize });
	// All that the CPU does comes after that, while kernels are being compiled; in pieces, between which more of them are requested.
	const { person, face } = loadPersonAndFace(image, pixels);
	await breath();
	const centred = centredOnBlack(image, defaults.inputSize);
	await breath();
	const cuda = new TorchCudaGenerator(seed);
	// Upstream draws noise for the picture embeddings and never uses it.
	cuda.normals(viewCount * domains * projectionChannels, "f16");
	const drawn = cuda.normals(viewCount * domains * latentChannels * latentSize ** 2, "f16");
	const structure = new TorchCpuGenerator(seed).normals(config.structure.inChannels * config.structure.resolution ** 3);
	await breath();
	const { views, coordinates } = await run({
		person: truncateToImage(person),
		face: truncateToImage(face),
		centred,
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

/** Lets whatever else is ready run. */
function breath(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, 1));
}

/** Records all networks of stage 1, plans their memory and begins to compile them; gives what runs them on prepared inputs, once. */
export async function prepareStageOne(
	context: PartContext,
	request: Omit<StageOneRequest, "image" | "seed">,
	{ pixels, centredPixels }: StageOneSizes,
): Promise<(inputs: StageOneInputs) => Promise<StageOneTensors>> {
	const { checkpoint, dtype } = request;
	const engine = await checkpoint.engine();
	const open = <Model>(component: Parameters<Checkpoint["tensors"]>[0], declare: (weights: Weights) => Model) =>
		context.networks.open({ checkpoint, dtype, component, declare });
	const config = readCrossSpaceConfig(await checkpoint.config("SyncHuman_2D3DCrossSpaceDiffusion"), engine);
	const { latentSize, latentChannels } = config;
	const { embedding, encoding, decoding } = await preparePictureNetworks(context, {
		...{ checkpoint, dtype, latentSize, latentChannels },
		featureExtractor: await checkpoint.featureExtractor(),
		pictures: 2,
		pixels,
	});

	const dinoNetwork = await open("dinov2", (weights) => declareDinov2(weights, readDinov2Config(engine), dtype));
	const dino = singleGraphPart(context, "picture features", dinoNetwork, (graph, model) => {
		const picture = graph.input("picture", "f32", [1, centredPixels, centredPixels, 3]);
		const { condition } = recordDinov2(graph, model, { pixels: picture, condition: true });
		if (condition === undefined) throw new Error("DINOv2 gave no condition");
		return { input: picture, output: condition };
	});

	const prompt = selectPromptEmbeddings(await checkpoint.promptEmbeds("normal"), await checkpoint.promptEmbeds("color"));
	const network = await open("SyncHuman_2D3DCrossSpaceDiffusion", (weights) => declareCrossSpaceDiffusion(weights, config, dtype));
	const diffusion = prepareDiffusion(context, network.weights, network.model, {
		schedule: stageOneSchedule(request.steps, defaults.rescaleT),
		guidance: request.guidance,
		promptTokens: prompt.shape[1],
		conditionTokens: dino.output.shape[1],
		dtype,
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

	await planStage(context, "stage 1", [embedding.part, encoding.part, dino.part, diffusion.part, decoding.part, structure.part]);

	return async (inputs) => {
		const pictures = [inputs.person, inputs.face];
		const embeddings = await embedding.run(pictures);
		const encoded = await encoding.run(pictures);
		const [condition] = await dino.run([inputForDino(inputs.centred).data]);
		const latents = await runDiffusion(
			context,
			diffusion,
			{
				imageLatents: imagesOfPictures(synchumanViews, encoded),
				classLabels: imagesOfPictures(
					synchumanViews,
					embeddings.map((values) => withNoiseLevel(values, 0)),
				),
				prompt: imagesFromOfficial(toFloat32(prompt), viewCount),
				condition,
			},
			inputs.noise,
			context.onViews &&
				previewing(
					{
						noise: inputs.noise.images,
						steps: request.steps,
						views: viewCount,
						colors: fitLatentColors(encoded, pictures, config.latentChannels),
					},
					context.onViews,
				),
		);
		const views = await decoding.run(latents.images);
		const [logits] = await structure.run([latents.structure]);
		return {
			views,
			latents,
			logits,
			coordinates: occupiedVoxels(logits, structure.output.shape[1]),
		};
	};
}

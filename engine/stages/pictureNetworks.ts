import type { ConfigReader } from "../../weights/configReader.ts";
import type { TensorSource } from "../../weights/source.ts";
import type { DType } from "../gpu/tensor.ts";
import { clipPixels } from "../image/clipPixels.ts";
import { type FloatImage, type Image, vaeInput } from "../image/image.ts";
import { decodedToFloat } from "../image/stageViews.ts";
import { readAutoencoderConfig } from "../models/autoencoderConfig.ts";
import { declareAutoencoderDecoder, declareAutoencoderEncoder, recordDecode, recordEncode } from "../models/autoencoderKl.ts";
import { declareClipVision, readClipVisionConfig, recordClipVision } from "../models/clipVision.ts";
import { readClipPreprocessing } from "./clipPreprocessing.ts";
import { concatenated, split } from "./imageArrangement.ts";
import type { Part, PartContext } from "./part.ts";
import { singleGraphPart } from "./singleGraphPart.ts";

/** What a stage's networks are opened from. */
export interface PictureNetworksRequest {
	readonly checkpoint: {
		readonly name: string;
		config(component: "image_encoder" | "vae"): Promise<ConfigReader>;
		tensors(component: "image_encoder" | "vae"): Promise<TensorSource>;
	};
	/** feature_extractor/preprocessor_config.json. */
	readonly featureExtractor: ConfigReader;
	readonly dtype: DType;
	/** Pictures that are embedded and encoded together. */
	readonly pictures: number;
	/** Width and height of a picture and of a view. */
	readonly pixels: number;
	readonly latentSize: number;
	readonly latentChannels: number;
}

/** A recorded network with what it computes. */
export interface PicturePart<Input, Output> {
	readonly part: Part;
	/** Loads the network, runs it, and frees it. Rejects with code "device" where a result is not finite. */
	run(input: Input): Promise<Output>;
}

/** CLIP and the autoencoder around a diffusion of views, recorded and without memory. */
export interface PictureNetworks {
	/** Of every picture [projection channels]. */
	readonly embedding: PicturePart<readonly Image[], readonly Float32Array[]>;
	/** Of every picture [size, size, channels]. */
	readonly encoding: PicturePart<readonly Image[], readonly Float32Array[]>;
	/** [views, size, size, channels] to the pictures, in [0, 1]. */
	readonly decoding: PicturePart<Float32Array, readonly FloatImage[]>;
}

/** Records them: all pictures as one batch, views one after the other. */
export async function preparePictureNetworks(context: PartContext, request: PictureNetworksRequest): Promise<PictureNetworks> {
	const { checkpoint, dtype, pictures, pixels, latentSize, latentChannels } = request;
	const opened = { checkpoint, dtype };

	const clipConfig = readClipVisionConfig(await checkpoint.config("image_encoder"));
	const clipNetwork = await context.networks.open({
		...opened,
		component: "image_encoder",
		declare: (weights) => declareClipVision(weights, clipConfig, dtype),
	});
	const preprocessing = readClipPreprocessing(request.featureExtractor);
	const clip = singleGraphPart(context, "image embedding", clipNetwork, (graph, model) => {
		const input = graph.input("pixels", "f32", [pictures, preprocessing.cropHeight, preprocessing.cropWidth, 3]);
		return { input, output: recordClipVision(graph, model, input) };
	});

	const vaeConfig = readAutoencoderConfig(await checkpoint.config("vae"));
	const encoder = await context.networks.open({
		...opened,
		component: "vae",
		within: ["encoder", "quant_conv"],
		declare: (weights) => declareAutoencoderEncoder(weights, vaeConfig, dtype),
	});
	const encoding = singleGraphPart(context, "picture encoding", encoder, (graph, model) => {
		const input = graph.input("pictures", "f32", [pictures, pixels, pixels, 3]);
		return { input, output: recordEncode(graph, model, input) };
	});

	const decoder = await context.networks.open({
		...opened,
		component: "vae",
		within: ["decoder", "post_quant_conv"],
		declare: (weights) => declareAutoencoderDecoder(weights, vaeConfig, dtype),
	});
	const decoding = singleGraphPart(context, "view decoding", decoder, (graph, model) => {
		const input = graph.input("latent", "f32", [1, latentSize, latentSize, latentChannels]);
		return { input, output: recordDecode(graph, model, input) };
	});

	return {
		embedding: {
			part: clip.part,
			async run(images) {
				const [embeddings] = await clip.run([concatenated(images.map((image) => clipPixels(image, preprocessing).data))]);
				return split(embeddings, pictures);
			},
		},
		encoding: {
			part: encoding.part,
			async run(images) {
				const [encoded] = await encoding.run([concatenated(images.map((image) => vaeInput(image).data))]);
				return split(encoded, pictures);
			},
		},
		decoding: {
			part: decoding.part,
			async run(latents) {
				const views = await decoding.run(split(latents, latents.length / (latentSize ** 2 * latentChannels)));
				return views.map((data) => decodedToFloat({ width: pixels, height: pixels, channels: 3, data }));
			},
		},
	};
}

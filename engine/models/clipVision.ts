// upstream: src/transformers/models/clip/modeling_clip.py, CLIPVisionModelWithProjection (huggingface/transformers v4.36.0)

import type { ConfigReader } from "../../weights/configReader.ts";
import type { Weights } from "../../weights/weights.ts";
import { type DType, describe, reshape, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { convolution } from "../kernels/dense/convolution.ts";
import { imageTokens } from "../kernels/dense/imageTokens.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { permute } from "../kernels/dense/permute.ts";
import { type Affine, declareAffine, declareConvolution, declareLinear, declareStackedLinear, type Linear } from "../layers/linear.ts";
import { recordVisionTransformerBlocks, type VisionTransformerBlock } from "../layers/visionTransformerBlock.ts";

/** Sizes of CLIP's image encoder. */
export interface ClipVisionConfig {
	/** Pixels of a side of the input. */
	readonly imageSize: number;
	readonly patchSize: number;
	readonly channels: number;
	readonly hiddenChannels: number;
	readonly layers: number;
	readonly heads: number;
	readonly normEps: number;
	/** Length of an image's embedding. */
	readonly projectionChannels: number;
}

/** Reads image_encoder/config.json. Throws code "checkpoint" where a value is missing or asks for what this engine does not have. */
export function readClipVisionConfig(config: ConfigReader): ClipVisionConfig {
	config.string("hidden_act", { fallback: "gelu", allowed: ["gelu"] });
	config.integer("num_channels", { fallback: 3, min: 3, max: 3 });
	const channels = config.integer("hidden_size", { min: 4 });
	const heads = config.integer("num_attention_heads", { min: 1 });
	const imageSize = config.integer("image_size", { min: 1, max: 4096 });
	const patchSize = config.integer("patch_size", { min: 1, max: 256 });
	if (channels % (4 * heads) !== 0) throw config.error("num_attention_heads", `must divide hidden_size ${channels} into multiples of 4`);
	if (imageSize < patchSize) throw config.error("image_size", `must be at least patch_size ${patchSize}`);
	return {
		imageSize,
		patchSize,
		channels,
		hiddenChannels: config.integer("intermediate_size", { min: 1 }),
		layers: config.integer("num_hidden_layers", { min: 1, max: 256 }),
		heads,
		normEps: config.number("layer_norm_eps", { fallback: 1e-5, min: 0 }),
		projectionChannels: config.integer("projection_dim", { min: 1 }),
	};
}

/** The declared network. */
export interface ClipVision {
	readonly config: ClipVisionConfig;
	readonly patchEmbedding: Linear;
	readonly classEmbedding: Tensor;
	/** f32 [1 + patches, channels]. */
	readonly positionEmbedding: Tensor;
	/** Misspelt so in the checkpoint, too. */
	readonly preLayrnorm: Affine;
	readonly layers: readonly VisionTransformerBlock[];
	readonly postLayernorm: Affine;
	readonly projection: Linear;
}

/** Declares every tensor of model.safetensors; matrices in `dtype`, everything else in f32. */
export function declareClipVision(weights: Weights, config: ClipVisionConfig, dtype: DType): ClipVision {
	const { channels, hiddenChannels, patchSize } = config;
	const vision = weights.at("vision_model");
	const embeddings = vision.at("embeddings");
	embeddings.ignore("position_ids");
	const positions = 1 + Math.floor(config.imageSize / patchSize) ** 2;
	return {
		config,
		patchEmbedding: declareConvolution(embeddings.at("patch_embedding"), channels, 3, [patchSize, patchSize], dtype, { bias: false }),
		classEmbedding: embeddings.tensor("class_embedding", [channels], { dtype: "f32" }),
		positionEmbedding: embeddings.at("position_embedding").tensor("weight", [positions, channels], { dtype: "f32" }),
		preLayrnorm: declareAffine(vision.at("pre_layrnorm"), channels),
		layers: Array.from({ length: config.layers }, (_, i) => {
			const layer = vision.at("encoder").at("layers").at(i);
			return {
				heads: config.heads,
				normEps: config.normEps,
				norm1: declareAffine(layer.at("layer_norm1"), channels),
				qkv: declareStackedLinear(layer.at("self_attn"), ["q_proj", "k_proj", "v_proj"], channels, channels, dtype),
				out: declareLinear(layer.at("self_attn").at("out_proj"), channels, channels, dtype),
				norm2: declareAffine(layer.at("layer_norm2"), channels),
				mlpIn: declareLinear(layer.at("mlp").at("fc1"), hiddenChannels, channels, dtype),
				mlpOut: declareLinear(layer.at("mlp").at("fc2"), channels, hiddenChannels, dtype),
			};
		}),
		postLayernorm: declareAffine(vision.at("post_layernorm"), channels),
		projection: declareLinear(weights.at("visual_projection"), config.projectionChannels, channels, dtype, { bias: false }),
	};
}

/**
 * Image embeddings, f32 [images, projectionChannels], of normalised pixels, f32 [images, imageSize, imageSize, 3]. The residual stream
 * is f32 whatever the weights are, as upstream's autocast has it. Throws where the pixels have another size.
 */
export function recordClipVision(graph: Graph, model: ClipVision, pixels: Tensor): Tensor {
	const { imageSize, patchSize, channels, normEps } = model.config;
	const [images, height, width] = pixels.shape;
	if (height !== imageSize || width !== imageSize) {
		throw new Error(`${graph.path}/clipVision: pixels must be [images,${imageSize},${imageSize},3], got ${describe(pixels)}`);
	}
	const patches = convolution(graph, {
		x: pixels,
		...model.patchEmbedding,
		stride: patchSize,
		outputDtype: "f32",
		label: "patch_embedding",
	});
	const tokens = imageTokens(graph, {
		patches: reshape(patches, [images, patches.shape[1] * patches.shape[2], channels]),
		classToken: model.classEmbedding,
		classPosition: model.positionEmbedding,
		positions: { tensor: model.positionEmbedding, first: 1 },
	});
	graph.tap("embeddings", tokens);
	const started = layerNorm(graph, { x: tokens, eps: normEps, affine: model.preLayrnorm, label: "pre_layrnorm" });
	const x = recordVisionTransformerBlocks(graph, "encoder.layers", model.layers, graph.tap("pre_layrnorm", started));
	const classes = layerNorm(graph, {
		x,
		xRows: { first: 0, count: 1, stride: x.shape[1], segments: images },
		eps: normEps,
		affine: model.postLayernorm,
		label: "post_layernorm",
	});
	// The few images as columns: kernels share out rows.
	const columns = matmul(graph, { x: model.projection.weight, weight: classes, outputDtype: "f32", label: "visual_projection" });
	return permute(graph, { x: columns, axes: [1, 0], label: "visual_projection" });
}

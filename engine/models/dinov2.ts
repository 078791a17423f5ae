// upstream: dinov2/models/vision_transformer.py, dinov2_vitl14_reg (facebookresearch/dinov2 b8931f7)

import type { ConfigReader } from "../../weights/configReader.ts";
import type { Weights } from "../../weights/weights.ts";
import { type DType, describe, reshape, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { convolution } from "../kernels/dense/convolution.ts";
import { gatherRows } from "../kernels/dense/gatherRows.ts";
import { imageTokens } from "../kernels/dense/imageTokens.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { resize } from "../kernels/dense/resample.ts";
import { type Affine, declareAffine, declareConvolution, declareLinear, type Linear } from "../layers/linear.ts";
import { recordVisionTransformerBlocks, type VisionTransformerBlock } from "../layers/visionTransformerBlock.ts";

/** Sizes of a DINOv2 vision transformer with registers. */
export interface Dinov2Config {
	readonly patchSize: number;
	/** Pixels of a side for which the position embedding is stored. */
	readonly imageSize: number;
	readonly channels: number;
	readonly layers: number;
	readonly heads: number;
	readonly mlpRatio: number;
	readonly registers: number;
	/** Blocks, counted from 0 and rising, whose output is a feature. */
	readonly taps: readonly number[];
}

const officialTaps = [4, 11, 17, 23];

/**
 * Reads the optional `dinov2` of engine.json, with the names of the official constructor and `taps`; what is absent is as in
 * dinov2_vitl14_reg, for which no config file exists. Throws code "checkpoint" for values that do not fit together.
 */
export function readDinov2Config(engine: ConfigReader): Dinov2Config {
	const sizes = engine.has("dinov2") ? engine.object("dinov2") : undefined;
	const integer = (key: string, fallback: number, max?: number) =>
		sizes?.integer(key, { fallback, min: 1, ...(max !== undefined && { max }) }) ?? fallback;
	const channels = integer("embed_dim", 1024);
	const heads = integer("num_heads", 16);
	const layers = integer("depth", 24, 256);
	const possible = officialTaps.filter((tap) => tap < layers);
	const taps = sizes?.integers("taps", { fallback: possible, max: layers - 1 }) ?? possible;
	const patchSize = integer("patch_size", 14, 256);
	const imageSize = integer("img_size", 518, 4096);
	if (sizes !== undefined) {
		if (channels % (4 * heads) !== 0) throw sizes.error("num_heads", `must divide embed_dim ${channels} into multiples of 4`);
		if (taps.some((tap, i) => i > 0 && tap <= taps[i - 1])) throw sizes.error("taps", "must rise");
		if (imageSize < patchSize) throw sizes.error("img_size", `must be at least patch_size ${patchSize}`);
	}
	return {
		patchSize,
		imageSize,
		channels,
		layers,
		heads,
		mlpRatio: integer("mlp_ratio", 4, 64),
		registers: integer("num_register_tokens", 4, 1024),
		taps,
	};
}

/** The declared network. */
export interface Dinov2 {
	readonly config: Dinov2Config;
	/** Of the matrices and the residual stream. */
	readonly dtype: DType;
	readonly patchEmbed: Linear;
	/** f32 [1, 1, channels]. */
	readonly classToken: Tensor;
	/** f32 [1, registers, channels]. */
	readonly registerTokens: Tensor;
	/** f32 [1 + patches, channels] at imageSize. */
	readonly positionEmbedding: Tensor;
	readonly blocks: readonly VisionTransformerBlock[];
	readonly norm: Affine;
}

/** Epsilon of all norms with parameters. */
const normEps = 1e-6;

/** Declares every tensor of dinov2_vitl14_reg4_pretrain.pth; matrices in `dtype`, everything else in f32. */
export function declareDinov2(weights: Weights, config: Dinov2Config, dtype: DType): Dinov2 {
	const { channels, registers, patchSize } = config;
	const hidden = channels * config.mlpRatio;
	const positions = 1 + Math.floor(config.imageSize / patchSize) ** 2;
	// Stands for masked patches in training, and in the official file.
	weights.tensor("mask_token", [1, channels], { dtype: "f32" });
	return {
		config,
		dtype,
		patchEmbed: declareConvolution(weights.at("patch_embed").at("proj"), channels, 3, [patchSize, patchSize], dtype),
		classToken: weights.tensor("cls_token", [1, 1, channels], { dtype: "f32" }),
		registerTokens: weights.tensor("register_tokens", [1, registers, channels], { dtype: "f32" }),
		positionEmbedding: reshape(weights.tensor("pos_embed", [1, positions, channels], { dtype: "f32" }), [positions, channels]),
		blocks: Array.from({ length: config.layers }, (_, i) => {
			const block = weights.at("blocks").at(i);
			return {
				heads: config.heads,
				normEps,
				norm1: declareAffine(block.at("norm1"), channels),
				qkv: declareLinear(block.at("attn").at("qkv"), 3 * channels, channels, dtype),
				out: declareLinear(block.at("attn").at("proj"), channels, channels, dtype),
				scales: [
					block.at("ls1").tensor("gamma", [channels], { dtype: "f32" }),
					block.at("ls2").tensor("gamma", [channels], { dtype: "f32" }),
				],
				norm2: declareAffine(block.at("norm2"), channels),
				mlpIn: declareLinear(block.at("mlp").at("fc1"), hidden, channels, dtype),
				mlpOut: declareLinear(block.at("mlp").at("fc2"), channels, hidden, dtype),
			};
		}),
		norm: declareAffine(weights.at("norm"), channels),
	};
}

/** What is wanted of a run. */
export interface Dinov2Request {
	/** Normalised pixels, f32 [images, side, side, 3]; the side is a multiple of the patch size. */
	readonly pixels: Tensor;
	/** The condition of the flow networks. */
	readonly condition?: boolean;
	/** The features of the blocks `taps`, in this type. */
	readonly features?: DType;
}

/** What a run gives. Tokens: class, registers, patches by rows. */
export interface Dinov2Outputs {
	/** x_prenorm, the last block's output: [images, tokens, channels] in the network's dtype. */
	readonly prenorm: Tensor;
	/** Layer norm of it without parameters, eps 1e-5: f32 [images, tokens, channels]. */
	readonly condition: Tensor | undefined;
	/** get_intermediate_layers with the final norm, patches only, tap after tap: [images, side, side, taps * channels] in patches. */
	readonly features: Tensor | undefined;
}

/** Records the network. Blocks after the last one needed are left out, unless the condition is wanted. Throws where the pixels do not fit. */
export function recordDinov2(graph: Graph, model: Dinov2, request: Dinov2Request): Dinov2Outputs {
	const { pixels } = request;
	const { channels, patchSize, registers, taps } = model.config;
	const [images, height, width] = pixels.shape;
	if (height % patchSize !== 0 || width % patchSize !== 0) {
		throw new Error(`${graph.path}/dinov2: pixels must be [images,${patchSize} n,${patchSize} m,3], got ${describe(pixels)}`);
	}
	if (request.features !== undefined && taps.length === 0) throw new Error(`${graph.path}/dinov2: the config names no taps`);
	const [rows, columns] = [height / patchSize, width / patchSize];
	const patchCount = rows * columns;
	const patches = reshape(
		convolution(graph, { x: pixels, ...model.patchEmbed, stride: patchSize, outputDtype: "f32", label: "patch_embed" }),
		[images, patchCount, channels],
	);
	const started = imageTokens(graph, {
		patches: graph.tap("patch_embed", patches),
		classToken: model.classToken,
		registers: model.registerTokens,
		classPosition: model.positionEmbedding,
		positions: patchPositions(graph, model, rows, columns),
		outputDtype: model.dtype,
	});
	const tokens = started.shape[1];
	const features = request.features && graph.tensor("features", request.features, [images * patchCount, taps.length * channels]);
	const needed = request.condition || features === undefined ? model.blocks.length : taps[taps.length - 1] + 1;
	const last = recordVisionTransformerBlocks(graph, "blocks", model.blocks.slice(0, needed), started, (i, x) => {
		const tap = taps.indexOf(i);
		if (features === undefined || tap < 0) return;
		layerNorm(graph, {
			x,
			xRows: { first: 1 + registers, count: patchCount, stride: tokens, segments: images },
			eps: normEps,
			affine: model.norm,
			into: { tensor: features, column: tap * channels },
			label: `norm of block ${i}`,
		});
	});
	return {
		prenorm: graph.tap("x_prenorm", last),
		condition: request.condition ? layerNorm(graph, { x: last, eps: 1e-5, outputDtype: "f32", label: "layer_norm" }) : undefined,
		features: features && reshape(features, [images, rows, columns, taps.length * channels]),
	};
}

/** Positions of the patches, resized where the picture has another size than the stored ones: bicubic with antialias, as the registers' models do. */
function patchPositions(graph: Graph, model: Dinov2, rows: number, columns: number): { tensor: Tensor; first: number } {
	const { imageSize, patchSize, channels } = model.config;
	const side = Math.floor(imageSize / patchSize);
	if (rows === side && columns === side) return { tensor: model.positionEmbedding, first: 1 };
	const indices = graph.constant(`dinov2 patches ${side}`, "i32", [side * side], () =>
		Int32Array.from({ length: side * side }, (_, i) => i + 1),
	);
	const stored = gatherRows(graph, { x: model.positionEmbedding, indices, label: "pos_embed" });
	const resized = resize(graph, { x: reshape(stored, [1, side, side, channels]), extent: [rows, columns], method: "bicubicAntialias" });
	return { tensor: graph.tap("pos_embed", reshape(resized, [rows * columns, channels])), first: 0 };
}

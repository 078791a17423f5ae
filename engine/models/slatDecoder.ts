// upstream: SyncHuman/models/SecondStage/structured_latent_vae/base.py (IGL-HKUST/SyncHuman 1b540b7)

import type { ConfigReader } from "../../weights/configReader.ts";
import type { Weights } from "../../weights/weights.ts";
import { type DType, describe, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { positionEmbedding } from "../kernels/dense/positionEmbedding.ts";
import { viewPixels } from "../kernels/sparse/viewPixels.ts";
import { windowPartition } from "../kernels/sparse/windowPartition.ts";
import { declareLinear, type Linear } from "../layers/linear.ts";
import {
	declareSparseTransformerBlock,
	type PixelFeatures,
	recordSparseTransformerBlock,
	type SparseTransformerBlock,
	type VoxelWindows,
} from "../layers/sparseTransformerBlock.ts";

/** What both decoders of structured latents have in common. */
export interface SlatDecoderConfig {
	/** Voxels along an axis of the latents' grid. */
	readonly resolution: number;
	readonly latentChannels: number;
	readonly channels: number;
	readonly blocks: number;
	readonly heads: number;
	readonly mlpRatio: number;
	/** Voxels along an axis of an attention window. */
	readonly windowSize: number;
	/** Channels of one view inside the network. */
	readonly viewChannels: number;
	/** Channels of one view's image features: those of several layers side by side. */
	readonly imageChannels: number;
}

/** Layers whose image features stand side by side in a view's features. */
const featureLayers = 4;

/**
 * Reads the trunk's part of `args` in a decoder's config.json. `engine` is engine.json, whose optional `mv_dim_of_blocks` replaces the 1024
 * of the official constructor. Throws code "checkpoint" for values that this engine does not have.
 */
export function readSlatDecoderConfig(config: ConfigReader, engine: ConfigReader): SlatDecoderConfig {
	config.string("attn_mode", { fallback: "swin", allowed: ["swin"] });
	config.string("pe_mode", { fallback: "ape", allowed: ["ape"] });
	config.string("mv_condition_mode", { fallback: "4_view", allowed: ["4_view"] });
	for (const [key, only] of [
		["use_multiscale", true],
		["use_faceinfo", false],
		["qk_rms_norm", false],
	] as const) {
		if (config.boolean(key, only) !== only) throw config.error(key, `must be ${only}, got ${!only}`);
	}
	const channels = config.integer("model_channels", { min: 8 });
	const heads = config.has("num_heads")
		? config.integer("num_heads", { min: 1 })
		: channels / config.integer("num_head_channels", { fallback: 64, min: 4 });
	if (channels % heads !== 0) throw config.error("num_heads", `must divide model_channels ${channels}`);
	const viewChannels = engine.integer("mv_dim_of_blocks", { fallback: 1024, min: 1 });
	const inputViewChannels = config.integer("mv_dim", { fallback: viewChannels, min: 1 });
	if (inputViewChannels !== viewChannels)
		throw config.error("mv_dim", `must be ${viewChannels} as the blocks' mv_dim, got ${inputViewChannels}`);
	return {
		resolution: config.integer("resolution", { min: 1, max: 64 }),
		latentChannels: config.integer("latent_channels", { min: 1, max: 1024 }),
		channels,
		blocks: config.integer("num_blocks", { min: 1, max: 256 }),
		heads,
		mlpRatio: config.number("mlp_ratio", { fallback: 4, min: 0.25, max: 64 }),
		windowSize: config.integer("window_size", { fallback: 8, min: 2, max: 64 }),
		viewChannels,
		imageChannels: featureLayers * viewChannels,
	};
}

/** The declared trunk. */
export interface SlatDecoder {
	readonly config: SlatDecoderConfig;
	readonly dtype: DType;
	readonly input: Linear;
	readonly inputColor: Linear;
	readonly inputNormal: Linear;
	readonly blocks: readonly SparseTransformerBlock[];
}

/** Declares the trunk's tensors. */
export function declareSlatDecoder(weights: Weights, config: SlatDecoderConfig, dtype: DType): SlatDecoder {
	const { channels, heads, mlpRatio, viewChannels, imageChannels } = config;
	return {
		config,
		dtype,
		input: declareLinear(weights.at("input_layer"), channels, config.latentChannels, "f32"),
		// Departs from upstream: there these two are f32 whatever the blocks are. What comes out is stored as f16 anyway.
		inputColor: declareLinear(weights.at("input_layer_color"), viewChannels, imageChannels, dtype),
		inputNormal: declareLinear(weights.at("input_layer_normal"), viewChannels, imageChannels, dtype),
		blocks: Array.from({ length: config.blocks }, (_, i) =>
			declareSparseTransformerBlock(weights.at("blocks").at(i), { channels, heads, mlpRatio, viewChannels }, dtype),
		),
	};
}

/** What a decoder reads. */
export interface SlatDecoderInput {
	/** i32 [voxels, 4] rows (0, x, y, z) on the host: every table follows from them. */
	readonly coords: Int32Array;
	/** f32 [voxels, latentChannels]. */
	readonly slat: Tensor;
	/** [4, side, side, imageChannels] image features of the colour views 0..3, and of the normal views; fastest in the network's dtype. */
	readonly colors: Tensor;
	readonly normals: Tensor;
}

/** Records the trunk. Returns [voxels, channels]. */
export function recordSlatDecoder(graph: Graph, model: SlatDecoder, input: SlatDecoderInput): Tensor {
	const { coords } = input;
	const { channels, windowSize } = model.config;
	const voxels = coords.length / 4;
	if (input.slat.shape[0] !== voxels) throw new Error(`${graph.path}/slat must have ${voxels} rows, got ${describe(input.slat)}`);
	const pixels = recordPixelFeatures(graph, model, input);
	const positions = graph.constant(`positions ${channels}`, "f32", [voxels, channels], () =>
		positionEmbedding(
			coords.filter((_, index) => index % 4 !== 0),
			channels,
		),
	);
	const latents = { x: input.slat, ...model.input };
	if (graph.isTapped("input_layer")) graph.tap("input_layer", matmul(graph, { ...latents, label: "input_layer alone" }));
	let h = matmul(graph, { ...latents, residual: positions, outputDtype: model.dtype, label: "input_layer" });
	model.blocks.forEach((block, i) => {
		const shift = i % 2 === 0 ? 0 : Math.floor(windowSize / 2);
		const windows = voxelWindows(graph, coords, windowSize, shift);
		h = graph.scope(`blocks.${i}`, () => graph.tap("", recordSparseTransformerBlock(graph, block, { x: h, windows, pixels })));
	});
	return h;
}

/** The windows of attention as constants of the graph. */
export function voxelWindows(graph: Graph, coords: Int32Array, size: number, shift: number): VoxelWindows {
	const { offsets, rows, largest } = windowPartition(coords, size, shift);
	return {
		offsets: graph.constant(`window offsets ${size} ${shift}`, "u32", [offsets.length], () => offsets),
		rows: graph.constant(`window rows ${size} ${shift}`, "u32", [rows.length], () => rows),
		largest,
	};
}

/** Image features of the distinct pixels that the voxels see, through the input layers of normals and colours. */
export function recordPixelFeatures(graph: Graph, model: SlatDecoder, { coords, colors, normals }: SlatDecoderInput): PixelFeatures {
	const { viewChannels, imageChannels } = model.config;
	const side = colors.shape[1];
	for (const maps of [colors, normals]) {
		if (maps.shape.join() !== [4, side, side, imageChannels].join()) {
			throw new Error(`${graph.path}: image features must be [4,${side},${side},${imageChannels}], got ${describe(maps)}`);
		}
	}
	const { frontBack, sides, positions } = viewPixels(coords, side);
	const mapRows = 4 * side * side;
	const lists = [frontBack, sides];
	const [front, lateral] = lists.map((pixels, first) => {
		const features = graph.tensor(first === 0 ? "front and back pixels" : "side pixels", model.dtype, [pixels.length, 4 * viewChannels]);
		[normals, colors].forEach((maps, kind) => {
			[first, first + 2].forEach((view, position) => {
				const table = graph.constant(`pixels of view ${view}`, "i32", [pixels.length, 1], () =>
					pixels.map((pixel) => view * side * side + pixel),
				);
				matmul(graph, {
					x: maps,
					...(kind === 0 ? model.inputNormal : model.inputColor),
					neighbours: { table, rowsIn: mapRows },
					into: { tensor: features, column: (2 * kind + position) * viewChannels },
					label: kind === 0 ? "input_layer_normal" : "input_layer_color",
				});
			});
		});
		return features;
	});
	return {
		frontBack: front,
		sides: lateral,
		positions: graph.constant("pixels of voxels", "i32", [coords.length / 4, 2], () => positions),
	};
}

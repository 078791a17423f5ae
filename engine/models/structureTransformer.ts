// upstream: SyncHuman/models/OneStage/SyncHuman_2D3DCrossSpaceDiffusion.py, the structure half (IGL-HKUST/SyncHuman 1b540b7)

import { gridPositionEmbedding } from "../../weights/computedBuffers.ts";
import type { Weights } from "../../weights/weights.ts";
import { createTensor, type DType, reshape, rowsOf, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { declareLinear, type Linear } from "../layers/linear.ts";
import {
	declareModulatedTransformerBlock,
	type ModulatedTransformerBlock,
	recordContextKeyValues,
	recordModulatedTransformerBlock,
	recordZeroContext,
} from "../layers/modulatedTransformerBlock.ts";
import { declareTimestepEmbedder, recordTimestepEmbedder, type TimestepEmbedder } from "../layers/timestepEmbedder.ts";
import type { StructureConfig } from "./crossSpaceConfig.ts";

/** TRELLIS' sparse-structure flow transformer, as it lies in the 2D-3D network's checkpoint. */
export interface StructureTransformer {
	readonly config: StructureConfig;
	readonly dtype: DType;
	/** Input, output: f32. */
	readonly inputLayer: Linear;
	readonly outLayer: Linear;
	/** f32 [resolution^3, channels]. */
	readonly positions: Tensor;
	readonly timestepEmbedder: TimestepEmbedder;
	readonly blocks: readonly ModulatedTransformerBlock[];
}

/** Declares `input_layer`, `pos_emb`, `t_embedder`, `blocks`, `out_layer` at the root of the checkpoint. */
export function declareStructureTransformer(weights: Weights, config: StructureConfig, dtype: DType): StructureTransformer {
	const { channels } = config.block;
	return {
		config,
		dtype,
		inputLayer: declareLinear(weights.at("input_layer"), channels, config.inChannels, "f32"),
		outLayer: declareLinear(weights.at("out_layer"), config.outChannels, channels, "f32"),
		positions: weights.buffer("pos_emb", [config.resolution ** 3, channels], { dtype: "f32" }, () =>
			gridPositionEmbedding(config.resolution, channels),
		),
		timestepEmbedder: declareTimestepEmbedder(weights.at("t_embedder"), channels, dtype),
		blocks: Array.from({ length: config.blocks }, (_, i) =>
			declareModulatedTransformerBlock(weights.at("blocks").at(i), config.block, dtype),
		),
	};
}

/** What stays the same over the steps of a run: resident tensors, filled by `recordStructureConditioning`. */
export interface StructureConditioning {
	/** Of the image, for each block: [tokens, 2 channels]. The halves without condition look at zeros. */
	readonly keyValues: readonly Tensor[];
	/** For each block what a context of zeros adds: f32 [1, channels]. */
	readonly zeros: readonly Tensor[];
	/** f32 [steps * blocks, width]: the modulation of every block in every step; width is 6 channels rounded up to whole bindings. */
	readonly modulations: Tensor;
	readonly steps: number;
}

/** Floats between two rows of modulation: bindings begin at multiples of 256 bytes. */
function modulationWidth(config: StructureConfig): number {
	return Math.ceil((6 * config.block.channels) / 64) * 64;
}

/** The tensors of a conditioning, without memory, for `steps` steps and an image of `tokens` tokens. */
export function createStructureConditioning(model: StructureTransformer, steps: number, tokens: number): StructureConditioning {
	const { block, blocks } = model.config;
	const each = (label: string, dtype: DType, shape: readonly number[]) =>
		model.blocks.map((_, i) => createTensor(`blocks.${i} ${label}`, dtype, shape, "resident"));
	return {
		keyValues: each("keys and values", model.dtype, [tokens, 2 * block.channels]),
		zeros: each("zero context", "f32", [1, block.channels]),
		modulations: createTensor("modulations", "f32", [steps * blocks, modulationWidth(model.config)], "resident"),
		steps,
	};
}

/**
 * Fills a conditioning from the image's tokens [tokens, contextChannels] (in the network's dtype) and the sinusoids of the steps' timesteps,
 * f32 [steps, timestepSinusoidWidth].
 */
export function recordStructureConditioning(
	graph: Graph,
	model: StructureTransformer,
	into: StructureConditioning,
	inputs: { readonly condition: Tensor; readonly sinusoids: Tensor },
): void {
	const timeSilu = graph.scope("t_embedder", () => recordTimestepEmbedder(graph, model.timestepEmbedder, inputs.sinusoids));
	const { blocks } = model.config;
	model.blocks.forEach((block, i) => {
		graph.scope(`blocks.${i}`, () => {
			recordContextKeyValues(graph, block, inputs.condition, into.keyValues[i]);
			recordZeroContext(graph, block, into.zeros[i]);
			const rows = { first: i, count: 1, stride: blocks, segments: into.steps };
			matmul(graph, { x: timeSilu, ...block.modulation, into: { tensor: into.modulations, rows }, label: "adaLN_modulation" });
		});
	});
}

/** The residual stream [halves * resolution^3, channels] of a latent f32 [resolution^3, inChannels], the same in every half. */
export function recordStructureInput(graph: Graph, model: StructureTransformer, latent: Tensor, halves: number): Tensor {
	const { config, inputLayer, positions, dtype } = model;
	const tokens = config.resolution ** 3;
	if (graph.isTapped("input_layer")) graph.tap("input_layer", matmul(graph, { x: latent, ...inputLayer, label: "input_layer alone" }));
	const stream = graph.tensor("tokens", dtype, [halves * tokens, config.block.channels]);
	for (let half = 0; half < halves; half++) {
		const rows = { first: half * tokens, count: tokens, stride: 0, segments: 1 };
		matmul(graph, {
			x: latent,
			...inputLayer,
			rowBias: { tensor: positions, rows: 1 },
			into: { tensor: stream, rows },
			label: "input_layer",
		});
	}
	return stream;
}

/**
 * Blocks first .. end of the network. `modulation` are the rows of the current step, f32 [blocks, width] as in
 * `StructureConditioning.modulations`. Half 0 is without condition. Returns the new stream.
 */
export function recordStructureBlocks(
	graph: Graph,
	model: StructureTransformer,
	stream: Tensor,
	range: { readonly first: number; readonly end: number },
	step: { readonly modulation: Tensor; readonly conditioning: StructureConditioning; readonly halves: number },
): Tensor {
	const { conditioning, halves } = step;
	const width = step.modulation.shape.at(-1) ?? 0;
	let x = stream;
	model.blocks.slice(range.first, range.end).forEach((block, offset) => {
		const i = range.first + offset;
		x = graph.scope(`blocks.${i}`, () => {
			const y = recordModulatedTransformerBlock(graph, block, {
				x,
				sequences: halves,
				tokens: model.config.resolution ** 3,
				modulation: reshape(rowsOf(step.modulation, i, 1), [1, width]),
				context: {
					keyValues: conditioning.keyValues[i],
					tokens: conditioning.keyValues[i].shape[0],
					zero: conditioning.zeros[i],
					firstSequence: halves - 1,
				},
			});
			return graph.tap("", y);
		});
	});
	return x;
}

/** The velocity f32 [halves * resolution^3, outChannels] of the final stream; its norm has no parameters and the eps of F.layer_norm. */
export function recordStructureOutput(graph: Graph, model: StructureTransformer, stream: Tensor): Tensor {
	const normed = layerNorm(graph, { x: stream, eps: 1e-5, outputDtype: "f32", label: "layer_norm" });
	return graph.tap("out_layer", matmul(graph, { x: normed, ...model.outLayer, label: "out_layer" }));
}

// upstream: SyncHuman/models/SecondStage/structured_latent_flow.py (IGL-HKUST/SyncHuman 1b540b7)

import type { ConfigReader } from "../../weights/configReader.ts";
import type { Weights } from "../../weights/weights.ts";
import { createTensor, type DType, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { copyColumns } from "../kernels/dense/copyColumns.ts";
import { cast, elementwise } from "../kernels/dense/elementwise.ts";
import { gatherRows } from "../kernels/dense/gatherRows.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { declareLinear, type Linear } from "../layers/linear.ts";
import {
	declareModulatedTransformerBlock,
	type ModulatedTransformerBlock,
	type ModulatedTransformerBlockConfig,
	recordContextKeyValues,
	recordModulatedTransformerBlock,
	recordModulation,
	recordZeroContext,
} from "../layers/modulatedTransformerBlock.ts";
import { declareSparseResBlock, recordSparseResBlock, recordSparseResModulation, type SparseResBlock } from "../layers/sparseResBlock.ts";
import { declareTimestepEmbedder, recordTimestepEmbedder, type TimestepEmbedder } from "../layers/timestepEmbedder.ts";
import { flowTables, type SlatFlowGeometry } from "./slatFlowGeometry.ts";

/** SLatFlowModel: the network that turns noise on voxels into structured latents. */
export interface SlatFlowConfig {
	readonly inChannels: number;
	readonly outChannels: number;
	/** Widths at the voxels' resolution, at half of it, ...; the transformer is one halving further down. */
	readonly ioChannels: readonly number[];
	/** Residual blocks at each of those resolutions, down and up. */
	readonly ioBlocks: number;
	readonly blocks: number;
	readonly block: ModulatedTransformerBlockConfig;
}

/** Reads `args` of the model's config.json. Throws code "checkpoint" for values that this engine does not have. */
export function readSlatFlowConfig(config: ConfigReader): SlatFlowConfig {
	config.string("pe_mode", { fallback: "ape", allowed: ["ape"] });
	for (const key of ["share_mod", "qk_rms_norm_cross"]) if (config.boolean(key, false)) throw config.error(key, "must be false, got true");
	if (!config.boolean("use_skip_connection", true)) throw config.error("use_skip_connection", "must be true, got false");
	const channels = config.integer("model_channels", { min: 8 });
	const heads = config.has("num_heads")
		? config.integer("num_heads", { min: 1 })
		: channels / config.integer("num_head_channels", { fallback: 64, min: 4 });
	if (channels % heads !== 0) throw config.error("num_heads", `must divide model_channels ${channels}`);
	const ioChannels = config.integers("io_block_channels", { min: 1 });
	const patchSize = config.integer("patch_size", { fallback: 2, min: 1, max: 64 });
	if (ioChannels.length === 0 || 2 ** ioChannels.length !== patchSize) {
		throw config.error("io_block_channels", `must have log2(patch_size) entries, got ${ioChannels.length} for patch_size ${patchSize}`);
	}
	return {
		inChannels: config.integer("in_channels", { min: 1, max: 1024 }),
		outChannels: config.integer("out_channels", { min: 1, max: 1024 }),
		ioChannels,
		ioBlocks: config.integer("num_io_res_blocks", { fallback: 2, min: 1, max: 16 }),
		blocks: config.integer("num_blocks", { min: 1, max: 256 }),
		block: {
			channels,
			contextChannels: config.integer("cond_channels", { min: 1 }),
			heads,
			mlpRatio: config.number("mlp_ratio", { fallback: 4, min: 0.25, max: 64 }),
			qkRmsNorm: config.boolean("qk_rms_norm", false),
		},
	};
}

/** The declared network. */
export interface SlatFlow {
	readonly config: SlatFlowConfig;
	/** Of the torso; time, input, output and sampler state are f32. */
	readonly dtype: DType;
	readonly timestep: TimestepEmbedder;
	readonly input: Linear;
	/** Block by block; the last of each resolution pools. */
	readonly inputBlocks: readonly SparseResBlock[];
	readonly blocks: readonly ModulatedTransformerBlock[];
	/** Block by block; the first of each resolution upsamples. */
	readonly outputBlocks: readonly SparseResBlock[];
	readonly output: Linear;
}

/** Declares every tensor of the network. */
export function declareSlatFlow(weights: Weights, config: SlatFlowConfig, dtype: DType): SlatFlow {
	const { ioChannels, ioBlocks, block } = config;
	const { channels } = block;
	const widths = [...ioChannels, channels];
	const resBlock = (place: Weights, from: number, to: number) =>
		declareSparseResBlock(place, { channels: from, outChannels: to, timeChannels: channels }, dtype);
	const levels = ioChannels.map((_, level) => level);
	const inputs = levels.flatMap((level) =>
		Array.from({ length: ioBlocks }, (_, i) => [widths[level], widths[i === ioBlocks - 1 ? level + 1 : level]]),
	);
	const outputs = levels
		.reverse()
		.flatMap((level) => Array.from({ length: ioBlocks }, (_, i) => [2 * widths[i === 0 ? level + 1 : level], widths[level]]));
	return {
		config,
		dtype,
		timestep: declareTimestepEmbedder(weights.at("t_embedder"), channels, "f32"),
		input: declareLinear(weights.at("input_layer"), ioChannels[0], config.inChannels, "f32"),
		inputBlocks: inputs.map(([from, to], i) => resBlock(weights.at("input_blocks").at(i), from, to)),
		blocks: Array.from({ length: config.blocks }, (_, i) => declareModulatedTransformerBlock(weights.at("blocks").at(i), block, dtype)),
		outputBlocks: outputs.map(([from, to], i) => resBlock(weights.at("out_blocks").at(i), from, to)),
		output: declareLinear(weights.at("out_layer"), config.outChannels, ioChannels[0], "f32"),
	};
}

/** What stays the same over the steps of a sampler: resident tensors, to be allocated before any graph is compiled. */
export interface SlatFlowCondition {
	/** Tokens of the condition. */
	readonly tokens: number;
	/** Block by block [tokens, 2 * channels]. */
	readonly keyValues: readonly Tensor[];
	/** Block by block f32 [1, channels]: cross-attention to a condition of zeros. */
	readonly zeros: readonly Tensor[];
	/** f32 [steps, width]: what every layer takes of the time, layer after layer as in `timeColumns`. */
	readonly times: Tensor;
}

/** All tensors of a condition. */
export function conditionTensors({ keyValues, zeros, times }: SlatFlowCondition): readonly Tensor[] {
	return [...keyValues, ...zeros, times];
}

/** First columns of `SlatFlowCondition.times` for the layers that know the time, and the columns of them all. */
function timeColumns({ inputBlocks, blocks, outputBlocks }: SlatFlow) {
	let width = 0;
	const columns = (layers: readonly { readonly modulation: Linear }[]) =>
		layers.map(({ modulation }) => {
			width += modulation.weight.shape[0];
			return width - modulation.weight.shape[0];
		});
	return { inputBlocks: columns(inputBlocks), blocks: columns(blocks), outputBlocks: columns(outputBlocks), width };
}

/** The tensors of a condition of `tokens` tokens for `steps` steps, without memory. */
export function createSlatFlowCondition(model: SlatFlow, tokens: number, steps: number): SlatFlowCondition {
	const { channels } = model.config.block;
	return {
		tokens,
		keyValues: model.blocks.map((_, i) => createTensor(`condition ${i}`, model.dtype, [tokens, 2 * channels], "resident")),
		zeros: model.blocks.map((_, i) => createTensor(`zero condition ${i}`, "f32", [1, channels], "resident")),
		times: createTensor("times", "f32", [steps, timeColumns(model).width], "resident"),
	};
}

/**
 * Records what fills a condition, once for all steps: from image features `cond` [tokens, contextChannels] and `sinusoids`, f32 [steps, 256],
 * `timestepEmbedding([1000 t, ...], 256)`.
 */
export function recordSlatFlowCondition(
	graph: Graph,
	model: SlatFlow,
	inputs: { readonly cond: Tensor; readonly sinusoids: Tensor },
	condition: SlatFlowCondition,
): void {
	const context = cast(graph, inputs.cond, model.dtype);
	const timeSilu = graph.scope("t_embedder", () => recordTimestepEmbedder(graph, model.timestep, inputs.sinusoids));
	const columns = timeColumns(model);
	const into = (column: number) => ({ tensor: condition.times, column });
	for (const name of ["inputBlocks", "outputBlocks"] as const)
		model[name].forEach((block, i) => {
			graph.scope(`${name === "inputBlocks" ? "input" : "out"}_blocks.${i}`, () =>
				recordSparseResModulation(graph, block, timeSilu, into(columns[name][i])),
			);
		});
	model.blocks.forEach((block, i) => {
		graph.scope(`blocks.${i}`, () => {
			recordModulation(graph, block, timeSilu, into(columns.blocks[i]));
			recordContextKeyValues(graph, block, context, condition.keyValues[i]);
			recordZeroContext(graph, block, condition.zeros[i]);
		});
	});
}

/** Input of one evaluation of the network. */
export interface SlatFlowRequest {
	/** f32 [voxels, inChannels], the same for all predictions. */
	readonly x: Tensor;
	/** i32 [1]: the step, a row of the condition's times. */
	readonly step: Tensor;
	readonly condition: SlatFlowCondition;
	/**
	 * "conditional": the velocity under the condition; "both": that and then the velocity under a condition of zeros, with everything
	 * before the transformer done once.
	 */
	readonly predictions: "conditional" | "both";
	readonly geometry: SlatFlowGeometry;
}

/** Records one evaluation. Returns the velocity, f32 [predictions * voxels, outChannels]. */
export function recordSlatFlow(graph: Graph, model: SlatFlow, request: SlatFlowRequest): Tensor {
	const { geometry, predictions } = request;
	const { ioBlocks, ioChannels } = model.config;
	const tables = flowTables(graph, geometry);
	const images = predictions === "both" ? 2 : 1;
	const time = gatherRows(graph, { x: request.condition.times, indices: request.step, label: "time of the step" });
	const columns = timeColumns(model);

	let h = matmul(graph, { x: request.x, ...model.input, outputDtype: model.dtype, label: "input_layer" });
	graph.tap("input_layer", h);
	const skips: Tensor[] = [];
	model.inputBlocks.forEach((block, i) => {
		const level = Math.floor(i / ioBlocks);
		const pools = i % ioBlocks === ioBlocks - 1;
		h = graph.scope(`input_blocks.${i}`, () => {
			const neighbours = tables.levels[pools ? level + 1 : level].neighbours;
			const resampling = pools ? ({ kind: "pool", childrenOf: tables.levels[level].childrenOf() } as const) : undefined;
			const modulation = { tensor: time, column: columns.inputBlocks[i] };
			return graph.tap("", recordSparseResBlock(graph, block, { x: h, modulation, neighbours: neighbours(), resampling }));
		});
		skips.push(h);
	});

	h = recordTransformer(graph, model, request, elementwise(graph, { x: h, addend: tables.positions(model.config.block.channels) }), {
		tensor: time,
		columns: columns.blocks,
	});

	model.outputBlocks.forEach((block, i) => {
		const level = ioChannels.length - 1 - Math.floor(i / ioBlocks);
		const upsamples = i % ioBlocks === 0;
		h = graph.scope(`out_blocks.${i}`, () => {
			const x = concatenateSkip(graph, h, skips.pop(), images);
			const { neighbours, parentOf, parentNeighbours } = tables.levels[level];
			const resampling = upsamples
				? ({ kind: "upsample", parentOf: parentOf(), parentNeighbours: parentNeighbours() } as const)
				: undefined;
			const modulation = { tensor: time, column: columns.outputBlocks[i] };
			return graph.tap("", recordSparseResBlock(graph, block, { x, images, modulation, neighbours: neighbours(), resampling }));
		});
	});
	const normed = layerNorm(graph, { x: h, eps: 1e-5, outputDtype: "f32", label: "final norm" });
	return matmul(graph, { x: normed, ...model.output, label: "out_layer" });
}

/** The transformer over all tokens of each prediction; x [tokens, channels] is shared by the predictions. */
function recordTransformer(
	graph: Graph,
	model: SlatFlow,
	request: SlatFlowRequest,
	x: Tensor,
	time: { readonly tensor: Tensor; readonly columns: readonly number[] },
): Tensor {
	const { condition, predictions } = request;
	const [tokens] = x.shape;
	const sequences = predictions === "both" ? 2 : 1;
	let h = sequences === 1 ? x : repeatRows(graph, x, sequences);
	model.blocks.forEach((block, i) => {
		h = graph.scope(`blocks.${i}`, () => {
			const modulation = { modulation: time.tensor, modulationColumn: time.columns[i] };
			const context = { keyValues: condition.keyValues[i], tokens: condition.tokens, zero: condition.zeros[i] };
			const y = recordModulatedTransformerBlock(graph, block, { x: h, sequences, tokens, ...modulation, context });
			return graph.tap("", y);
		});
	});
	return h;
}

/** [images * rows, a + b]: h beside a skip [rows, b] that all images share. */
function concatenateSkip(graph: Graph, h: Tensor, skip: Tensor | undefined, images: number): Tensor {
	if (skip === undefined) throw new Error(`${graph.path}: no skip is left`);
	const [rows, channels] = h.shape;
	const joined = graph.tensor("skip", h.dtype, [rows, channels + skip.shape[1]]);
	copyColumns(graph, { x: h, into: { tensor: joined, column: 0 } });
	if (images === 1) return copyColumns(graph, { x: skip, into: { tensor: joined, column: channels } });
	return gatherRows(graph, { x: skip, indices: repetition(graph, skip.shape[0], images), into: { tensor: joined, column: channels } });
}

function repeatRows(graph: Graph, x: Tensor, times: number): Tensor {
	return gatherRows(graph, { x, indices: repetition(graph, x.shape[0], times), label: "repeat" });
}

function repetition(graph: Graph, rows: number, times: number): Tensor {
	return graph.constant(`rows 0..${rows} ${times} times`, "i32", [rows * times], () =>
		Int32Array.from({ length: rows * times }, (_, i) => i % rows),
	);
}

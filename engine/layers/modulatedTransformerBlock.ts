// upstream: SyncHuman/modules/transformer/modulated.py and SyncHuman/modules/sparse/transformer/modulated.py (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import { type DType, describe, reshape, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { addRow } from "../kernels/dense/addRow.ts";
import { attention } from "../kernels/dense/attention.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import type { Epilogue, PerGroup } from "../kernels/dense/matmulRequest.ts";
import { rmsNorm } from "../kernels/dense/rmsNorm.ts";
import type { RowSegments } from "../kernels/dense/rowSegments.ts";
import { type Affine, declareAffine, declareLinear, type Linear } from "./linear.ts";

/** Sizes of a block; names as in the official constructor. */
export interface ModulatedTransformerBlockConfig {
	readonly channels: number;
	readonly contextChannels: number;
	readonly heads: number;
	readonly mlpRatio: number;
	/** RMS norm of the queries and keys of self-attention. */
	readonly qkRmsNorm: boolean;
}

/** ModulatedTransformerCrossBlock: self-attention and MLP modulated by the time, cross-attention between them that is not. */
export interface ModulatedTransformerBlock {
	readonly config: ModulatedTransformerBlockConfig;
	readonly modulation: Linear;
	readonly toQkv: Linear;
	/** f32 [2 * heads, headSize]: of queries, then of keys. */
	readonly gammas: Tensor | undefined;
	readonly selfOut: Linear;
	readonly crossNorm: Affine;
	readonly toQuery: Linear;
	readonly toKeyValue: Linear;
	readonly crossOut: Linear;
	readonly mlpIn: Linear;
	readonly mlpOut: Linear;
}

/** Epsilon of LayerNorm32 in these blocks. */
const normEps = 1e-6;

/** Declares the tensors of one block under `weights` (`blocks.N`). */
export function declareModulatedTransformerBlock(
	weights: Weights,
	config: ModulatedTransformerBlockConfig,
	dtype: DType,
): ModulatedTransformerBlock {
	const { channels, contextChannels, heads, mlpRatio, qkRmsNorm } = config;
	const selfAttention = weights.at("self_attn");
	const crossAttention = weights.at("cross_attn");
	const mlp = weights.at("mlp").at("mlp");
	const hidden = channels * mlpRatio;
	const gammas = () => selfAttention.stacked(["q_rms_norm.gamma", "k_rms_norm.gamma"], [heads, channels / heads], { dtype: "f32" });
	return {
		config,
		modulation: declareLinear(weights.at("adaLN_modulation").at(1), 6 * channels, channels, dtype),
		toQkv: declareLinear(selfAttention.at("to_qkv"), 3 * channels, channels, dtype),
		gammas: qkRmsNorm ? gammas() : undefined,
		selfOut: declareLinear(selfAttention.at("to_out"), channels, channels, dtype),
		crossNorm: declareAffine(weights.at("norm2"), channels),
		toQuery: declareLinear(crossAttention.at("to_q"), channels, channels, dtype),
		toKeyValue: declareLinear(crossAttention.at("to_kv"), 2 * channels, contextChannels, dtype),
		crossOut: declareLinear(crossAttention.at("to_out"), channels, channels, dtype),
		mlpIn: declareLinear(mlp.at(0), hidden, channels, dtype),
		mlpOut: declareLinear(mlp.at(2), channels, hidden, dtype),
	};
}

/**
 * Shift, scale and gate of self-attention, then of the MLP: f32 [groups, 6 * channels] from `timeSilu` = SiLU of the time embedding,
 * f32 [groups, channels], or into a tensor of the caller.
 */
export function recordModulation(graph: Graph, block: ModulatedTransformerBlock, timeSilu: Tensor, into?: Epilogue["into"]): Tensor {
	const label = "adaLN_modulation";
	const modulation = matmul(graph, { x: timeSilu, ...block.modulation, outputDtype: "f32", label, ...(into && { into }) });
	return into ? modulation : graph.tap("adaLN_modulation", modulation);
}

/**
 * Keys and values of cross-attention, [contexts * tokens, 2 * channels] in the dtype of `context` [contexts * tokens, contextChannels]
 * or into a tensor of the caller: constant over the steps of a sampler.
 */
export function recordContextKeyValues(graph: Graph, block: ModulatedTransformerBlock, context: Tensor, into?: Tensor): Tensor {
	return matmul(graph, { x: context, ...block.toKeyValue, label: "to_kv", ...(into && { into: { tensor: into } }) });
}

/**
 * What cross-attention adds to every token when the context is all zeros, f32 [1, channels] or into a tensor of the caller: all keys
 * are equal then, so whatever the weights of the softmax, attention gives the bias of the values.
 */
export function recordZeroContext(graph: Graph, block: ModulatedTransformerBlock, into?: Tensor): Tensor {
	const { channels } = block.config;
	const { bias } = block.toKeyValue;
	if (bias === undefined) throw new Error(`${graph.path}: to_kv must have a bias`);
	return matmul(graph, {
		x: reshape(bias, [1, 2 * channels]),
		xColumn: channels,
		...block.crossOut,
		outputDtype: "f32",
		label: "zero context",
		...(into && { into: { tensor: into } }),
	});
}

/** What the sequences attend to. Sequences firstSequence .. have contexts; the others have a context of zeros. */
export interface BlockContext {
	/** [contexts * tokens, 2 * channels] from `recordContextKeyValues`. */
	readonly keyValues: Tensor;
	/** Tokens of one context. */
	readonly tokens: number;
	/** f32 [1, channels] from `recordZeroContext`; needed where some sequence has a context of zeros. */
	readonly zero?: Tensor | undefined;
	/** Default 0. */
	readonly firstSequence?: number | undefined;
}

/** Input of a block. */
export interface ModulatedTransformerBlockRequest {
	/** [sequences * tokens, channels], the residual stream. Not changed. */
	readonly x: Tensor;
	readonly sequences: number;
	readonly tokens: number;
	/** f32 [groups, width]; 6 * channels of its columns, from `modulationColumn` (default 0) on, are from `recordModulation`. */
	readonly modulation: Tensor;
	readonly modulationColumn?: number | undefined;
	/** Consecutive rows of x that share one row of the modulation; default: all, one group. */
	readonly rowsPerModulation?: number | undefined;
	readonly context: BlockContext;
}

/**
 * x += gate * selfAttention(LN(x) * (1 + scale) + shift); x += crossAttention(LN(x), context); x += gate * MLP(LN(x) * (1 + scale) +
 * shift). Returns the new residual stream, [sequences * tokens, channels]. Taps: norm1, self_attn, norm2, cross_attn, norm3, mlp.
 */
export function recordModulatedTransformerBlock(
	graph: Graph,
	block: ModulatedTransformerBlock,
	request: ModulatedTransformerBlockRequest,
): Tensor {
	const { channels, heads } = block.config;
	const { sequences, tokens, modulation, modulationColumn = 0 } = request;
	const rows = request.rowsPerModulation ?? sequences * tokens;
	if (request.x.shape.at(-1) !== channels || request.x.shape[0] !== sequences * tokens) {
		throw new Error(`${graph.path}: x must be [${sequences * tokens},${channels}], got ${describe(request.x)}`);
	}
	const part = (index: number): PerGroup => ({ tensor: modulation, rows, column: modulationColumn + index * channels });
	const modulated = (tensor: Tensor, shift: number, tap: string) => {
		tapNorm(graph, tap, tensor);
		return layerNorm(graph, { x: tensor, eps: normEps, modulation: { shift: part(shift), scale: part(shift + 1) }, label: tap });
	};
	let x = request.x;
	const qkv = matmul(graph, { x: modulated(x, 0, "norm1"), ...block.toQkv, label: "to_qkv" });
	// Queries and keys lie side by side: as many heads of one row.
	if (block.gammas !== undefined) rmsNorm(graph, { x: qkv, gamma: block.gammas, label: "q_rms_norm, k_rms_norm" });
	const attended = attention(graph, {
		q: { tensor: qkv, column: 0 },
		k: { tensor: qkv, column: channels },
		v: { tensor: qkv, column: 2 * channels },
		heads,
		headSize: channels / heads,
		sequences,
		queries: tokens,
		keys: tokens,
		label: "self_attn",
	});
	x = recordBranch(graph, "self_attn", attended, block.selfOut, { gate: part(2), residual: x });
	x = recordCrossAttention(graph, block, x, request);
	const hidden = matmul(graph, { x: modulated(x, 3, "norm3"), ...block.mlpIn, activation: "geluTanh", label: "mlp.0" });
	return recordBranch(graph, "mlp", hidden, block.mlpOut, { gate: part(5), residual: x });
}

/** x + crossAttention(LN(x)) where a sequence has a context, x + the constant of a zero context elsewhere. */
function recordCrossAttention(
	graph: Graph,
	block: ModulatedTransformerBlock,
	x: Tensor,
	request: ModulatedTransformerBlockRequest,
): Tensor {
	const { channels, heads } = block.config;
	const { sequences, tokens, context } = request;
	const contexts = context.keyValues.shape[0] / context.tokens;
	const first = context.firstSequence ?? 0;
	const last = first + contexts;
	if (!Number.isInteger(contexts) || last > sequences || context.keyValues.shape[1] !== 2 * channels) {
		throw new Error(
			`${graph.path}: ${describe(context.keyValues)} must be contexts of ${context.tokens} tokens for ${sequences} sequences`,
		);
	}
	const all = contexts === sequences;
	const segment = (start: number, count: number): RowSegments => ({ first: start * tokens, count: count * tokens, stride: 0, segments: 1 });
	const attending = all ? {} : { xRows: segment(first, contexts) };
	const normed = layerNorm(graph, { x, ...attending, eps: normEps, affine: block.crossNorm, label: "norm2" });
	graph.tap("norm2", normed);
	const attended = attention(graph, {
		q: { tensor: matmul(graph, { x: normed, ...block.toQuery, label: "to_q" }) },
		k: { tensor: context.keyValues, column: 0 },
		v: { tensor: context.keyValues, column: channels },
		heads,
		headSize: channels / heads,
		sequences: contexts,
		queries: tokens,
		keys: context.tokens,
		label: "cross_attn",
	});
	if (all) return recordBranch(graph, "cross_attn", attended, block.crossOut, { residual: x });
	if (context.zero === undefined) throw new Error(`${graph.path}: sequences without a context need its zero constant`);
	const y = graph.tensor("cross_attn", x.dtype, x.shape);
	recordBranch(graph, "cross_attn", attended, block.crossOut, { residual: x, into: { tensor: y, rows: segment(first, contexts) } });
	for (const [start, end] of [
		[0, first],
		[last, sequences],
	]) {
		if (end > start) addRow(graph, { x, row: context.zero, first: start * tokens, count: (end - start) * tokens, into: y });
	}
	return y;
}

/** One residual branch. The branch alone exists only where it is tapped. */
function recordBranch(graph: Graph, name: string, x: Tensor, linear: Linear, epilogue: Epilogue): Tensor {
	if (graph.isTapped(name)) graph.tap(name, matmul(graph, { x, ...linear, label: `${name} alone` }));
	return matmul(graph, { x, ...linear, ...epilogue, label: name });
}

/** The norm before its modulation exists only where it is tapped. */
function tapNorm(graph: Graph, name: string, x: Tensor): void {
	if (graph.isTapped(name)) graph.tap(name, layerNorm(graph, { x, eps: normEps, label: `${name} alone` }));
}

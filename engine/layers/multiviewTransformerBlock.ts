import type { Weights } from "../../weights/weights.ts";
import type { DType, Tensor } from "../gpu/tensor.ts";
import { reshape } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { attention } from "../kernels/dense/attention.ts";
import { faceBlend } from "../kernels/dense/faceBlend.ts";
import { groupNorm } from "../kernels/dense/groupNorm.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import type { RowSegments } from "../kernels/dense/rowSegments.ts";
import { type Affine, declareAffine, declareGatedLinear, declareLinear, declareStackedLinear, type Linear } from "./linear.ts";
import { domains, imagesOf, type MultiviewLayout } from "./multiviewLayout.ts";

/** Sizes of a TransformerMV2D. */
export interface MultiviewTransformerConfig {
	readonly channels: number;
	/** Of channels / heads values each. */
	readonly heads: number;
	/** Channels of a prompt token. */
	readonly crossAttentionChannels: number;
	/** Groups of the norm in front. */
	readonly normGroups: number;
	/** Blocks inside; 1 in every released network. */
	readonly layers: number;
}

interface MultiviewBlock {
	readonly norm1: Affine;
	readonly attn1: { readonly qkv: Linear; readonly out: Linear };
	readonly normMv: Affine;
	readonly attnMv: { readonly qkv: Linear; readonly out: Linear };
	readonly norm2: Affine;
	readonly attn2: { readonly q: Linear; readonly keyValue: Linear; readonly out: Linear };
	readonly norm3: Affine;
	readonly feedForward: { readonly projection: Linear; readonly out: Linear };
}

/** Weights of a TransformerMV2D: proj_in, blocks over all views of all images, proj_out. */
export interface MultiviewTransformer {
	readonly config: MultiviewTransformerConfig;
	readonly norm: Affine;
	readonly projIn: Linear;
	readonly blocks: readonly MultiviewBlock[];
	readonly projOut: Linear;
}

const layerNormEps = 1e-5;
const groupNormEps = 1e-6;

/** Upstream: transformer_mv2d_self_rowwise.py, TransformerMV2DModel. */
export function declareMultiviewTransformer(weights: Weights, config: MultiviewTransformerConfig, dtype: DType): MultiviewTransformer {
	const { channels } = config;
	return {
		config,
		norm: declareAffine(weights.at("norm"), channels),
		projIn: declareLinear(weights.at("proj_in"), channels, channels, dtype),
		blocks: Array.from({ length: config.layers }, (_, i) => declareBlock(weights.at("transformer_blocks").at(i), config, dtype)),
		projOut: declareLinear(weights.at("proj_out"), channels, channels, dtype),
	};
}

function declareBlock(weights: Weights, { channels, crossAttentionChannels }: MultiviewTransformerConfig, dtype: DType): MultiviewBlock {
	const selfAttention = (at: Weights) => ({
		qkv: declareStackedLinear(at, ["to_q", "to_k", "to_v"], channels, channels, dtype, { bias: false }),
		out: declareLinear(at.at("to_out").at(0), channels, channels, dtype),
	});
	const attn2 = weights.at("attn2");
	const feedForward = weights.at("ff").at("net");
	return {
		norm1: declareAffine(weights.at("norm1"), channels),
		attn1: selfAttention(weights.at("attn1")),
		normMv: declareAffine(weights.at("norm_mv"), channels),
		attnMv: selfAttention(weights.at("attn_mv")),
		norm2: declareAffine(weights.at("norm2"), channels),
		attn2: {
			q: declareLinear(attn2.at("to_q"), channels, channels, dtype, { bias: false }),
			keyValue: declareStackedLinear(attn2, ["to_k", "to_v"], channels, crossAttentionChannels, dtype, { bias: false }),
			out: declareLinear(attn2.at("to_out").at(0), channels, channels, dtype),
		},
		norm3: declareAffine(weights.at("norm3"), channels),
		feedForward: {
			projection: declareGatedLinear(feedForward.at(0).at("proj"), 8 * channels, channels, dtype),
			out: declareLinear(feedForward.at(2), channels, 4 * channels, dtype),
		},
	};
}

/** Keys and values of the prompt for one transformer: a tensor [images of a half, tokens, 2 channels] for each of its blocks. */
export type PromptKeysValues = readonly Tensor[];

/** Shapes of what `recordPromptKeysValues` fills, for whoever owns that memory. */
export function promptKeysValuesShapes(transformer: MultiviewTransformer, prompt: readonly number[]): readonly (readonly number[])[] {
	return transformer.blocks.map(() => [...prompt.slice(0, -1), 2 * transformer.config.channels]);
}

/**
 * Keys and values of attn2, which depend on the prompt alone: recorded once, not in every step. `prompt` is [views * domains, tokens,
 * crossAttentionChannels], one text an image of a half; both halves share it. `into` are tensors of `promptKeysValuesShapes`.
 */
export function recordPromptKeysValues(
	graph: Graph,
	transformer: MultiviewTransformer,
	prompt: Tensor,
	into?: PromptKeysValues,
): PromptKeysValues {
	return transformer.blocks.map(({ attn2 }, i) =>
		graph.scope(`transformer_blocks.${i}.attn2`, () =>
			matmul(graph, { x: prompt, weight: attn2.keyValue.weight, into: into && { tensor: into[i] }, label: "to_k, to_v" }),
		),
	);
}

/** One use of a transformer. */
export interface MultiviewTransformerInputs {
	/** [images, h, w, channels] in the order of the layout. */
	readonly x: Tensor;
	readonly layout: MultiviewLayout;
	readonly prompt: PromptKeysValues;
	/** Writes the result into columns `column ..` of an existing [images, h, w, width]. */
	readonly into?: { readonly tensor: Tensor; readonly column?: number } | undefined;
}

/**
 * x + proj_out(blocks(proj_in(GroupNorm(x)))). Each block: attention over both domains of a view together, with the face view mixed into the
 * front view; attention along the image rows of all body views; attention to the prompt; a GEGLU feed-forward. Returns [images, h, w, channels].
 */
export function recordMultiviewTransformer(graph: Graph, transformer: MultiviewTransformer, inputs: MultiviewTransformerInputs): Tensor {
	const { x, layout } = inputs;
	const [images, height, width, channels] = x.shape;
	if (images !== imagesOf(layout) || channels !== transformer.config.channels) {
		throw new Error(`${graph.path}: x must be [${imagesOf(layout)}, h, w, ${transformer.config.channels}], got [${x.shape}]`);
	}
	const normed = graph.tap(
		"norm",
		groupNorm(graph, { x, groups: transformer.config.normGroups, eps: groupNormEps, affine: transformer.norm, label: "norm" }),
	);
	const tokens = reshape(normed, [images, height * width, channels]);
	if (graph.isTapped("proj_in")) graph.tap("proj_in", matmul(graph, { x: tokens, ...transformer.projIn, label: "proj_in alone" }));
	const stream = matmul(graph, { x: tokens, ...transformer.projIn, label: "proj_in" });
	transformer.blocks.forEach((block, i) => {
		graph.scope(`transformer_blocks.${i}`, () => {
			recordBlock(graph, block, transformer.config, stream, { height, width }, layout, inputs.prompt[i]);
			graph.tap("", stream);
		});
	});
	const y = matmul(graph, { x: stream, ...transformer.projOut, residual: x, into: inputs.into, label: "proj_out" });
	return inputs.into ? y : reshape(y, x.shape);
}

/** Adds a block's four parts to `stream` [images, h * w, channels], in place. */
function recordBlock(
	graph: Graph,
	block: MultiviewBlock,
	{ channels, heads }: MultiviewTransformerConfig,
	stream: Tensor,
	size: { readonly height: number; readonly width: number },
	layout: MultiviewLayout,
	promptKeysValues: Tensor,
): void {
	const { height, width } = size;
	const area = height * width;
	const headSize = channels / heads;
	const parts = (qkv: Tensor) => ({ q: { tensor: qkv }, k: { tensor: qkv, column: channels }, v: { tensor: qkv, column: 2 * channels } });
	/** stream += linear(x); what is added exists by itself only where it is tapped. */
	const add = (name: string, x: Tensor, linear: Linear, rows?: RowSegments) => {
		if (graph.isTapped("")) graph.tap("", matmul(graph, { x, ...linear, label: `${name} alone` }));
		matmul(graph, { x, ...linear, into: { tensor: stream, accumulate: true, ...(rows && { rows }) }, label: name });
	};

	const norm1 = graph.tap("norm1", layerNorm(graph, { x: stream, eps: layerNormEps, affine: block.norm1, label: "norm1" }));
	graph.scope("attn1", () => {
		// Both domains of a view lie side by side: one sequence.
		const joined = { sequences: layout.halves * layout.views, queries: domains * area, keys: domains * area };
		const qkv = matmul(graph, { x: norm1, ...block.attn1.qkv, label: "to_q, to_k, to_v" });
		const attended = attention(graph, { ...parts(qkv), heads, headSize, ...joined });
		// Departs from upstream in order only: to_out is affine, so mixing its inputs half and half mixes its outputs alike.
		if (layout.faceView !== undefined) {
			faceBlend(graph, { x: attended, views: layout.views, domains, side: height, frontView: 0, faceView: layout.faceView });
		}
		add("to_out", attended, block.attn1.out);
	});

	const body: RowSegments = {
		first: 0,
		count: layout.bodyViews * domains * area,
		stride: layout.views * domains * area,
		segments: layout.halves,
	};
	const normMv = graph.tap(
		"norm_mv",
		layerNorm(graph, { x: stream, xRows: body, eps: layerNormEps, affine: block.normMv, label: "norm_mv" }),
	);
	graph.scope("attn_mv", () => {
		const qkv = matmul(graph, { x: normMv, ...block.attnMv.qkv, label: "to_q, to_k, to_v" });
		const rows = imageRowTokens(graph, layout, height, width);
		const inRow = { sequences: layout.halves * domains * height, queries: layout.bodyViews * width, keys: layout.bodyViews * width };
		const attended = attention(graph, { ...parts(qkv), heads, headSize, ...inRow, queryRows: rows, keyRows: rows });
		add("to_out", attended, block.attnMv.out, body);
	});

	const norm2 = graph.tap("norm2", layerNorm(graph, { x: stream, eps: layerNormEps, affine: block.norm2, label: "norm2" }));
	graph.scope("attn2", () => {
		const q = matmul(graph, { x: norm2, ...block.attn2.q, label: "to_q" });
		const [texts, tokens] = promptKeysValues.shape;
		const attended = attention(graph, {
			q: { tensor: q },
			k: { tensor: promptKeysValues },
			v: { tensor: promptKeysValues, column: channels },
			heads,
			headSize,
			sequences: imagesOf(layout),
			queries: area,
			keys: tokens,
			keySequences: texts,
		});
		add("to_out", attended, block.attn2.out);
	});

	const norm3 = graph.tap("norm3", layerNorm(graph, { x: stream, eps: layerNormEps, affine: block.norm3, label: "norm3" }));
	graph.scope("ff", () => {
		const hidden = matmul(graph, { x: norm3, ...block.feedForward.projection, gated: true, activation: "gelu", label: "net.0" });
		add("net.2", hidden, block.feedForward.out);
	});
}

/**
 * For every sequence (half, domain, image row) its tokens (body view, column) as rows of [halves, body views, domains, h, w]:
 * u32 [halves * domains * h * body views * w].
 */
function imageRowTokens(graph: Graph, { halves, bodyViews }: MultiviewLayout, height: number, width: number): Tensor {
	const count = halves * domains * height * bodyViews * width;
	return graph.constant(`image rows of ${halves} x ${bodyViews} views ${height} x ${width}`, "u32", [count], () => {
		const rows = new Uint32Array(count);
		let position = 0;
		for (let half = 0; half < halves; half++) {
			for (let domain = 0; domain < domains; domain++) {
				for (let y = 0; y < height; y++) {
					for (let view = 0; view < bodyViews; view++) {
						const first = (((half * bodyViews + view) * domains + domain) * height + y) * width;
						for (let x = 0; x < width; x++) rows[position++] = first + x;
					}
				}
			}
		}
		return rows;
	});
}

// upstream: diffusers 0.29.1, models/autoencoders/{autoencoder_kl,vae}.py and unet_2d_blocks.py, as SyncHuman's pipeline uses them

import type { Weights } from "../../weights/weights.ts";
import { type DType, describe, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { convolution } from "../kernels/dense/convolution.ts";
import { copyColumns } from "../kernels/dense/copyColumns.ts";
import { elementwise } from "../kernels/dense/elementwise.ts";
import { groupNorm } from "../kernels/dense/groupNorm.ts";
import { type Affine, declareAffine, declareConvolution, type Linear } from "../layers/linear.ts";
import { declarePixelAttention, type PixelAttention, recordPixelAttention } from "../layers/pixelAttention.ts";
import {
	declareResampler,
	declareResnetBlock,
	type ResnetBlock,
	recordDownsampler,
	recordResnetBlock,
	recordUpsampler,
} from "../layers/resnetBlock.ts";
import type { AutoencoderConfig } from "./autoencoderConfig.ts";

const eps = 1e-6;

interface Middle {
	readonly first: ResnetBlock;
	readonly attention: PixelAttention;
	readonly second: ResnetBlock;
}

interface Level {
	readonly resnets: readonly ResnetBlock[];
	/** Downsampler or upsampler; none at the last level. */
	readonly resampler: Linear | undefined;
}

/** Encoder or decoder: first convolution, levels in the order they run, middle, last norm and convolution, 1x1 convolution of the latents. */
interface Half {
	readonly config: AutoencoderConfig;
	readonly dtype: DType;
	readonly convIn: Linear;
	readonly levels: readonly Level[];
	readonly middle: Middle;
	readonly normOut: Affine;
	readonly convOut: Linear;
	readonly quantConv: Linear | undefined;
}

/** The encoder and `quant_conv`. */
export type AutoencoderEncoder = Half & { readonly kind: "encoder" };

/** The decoder and `post_quant_conv`. */
export type AutoencoderDecoder = Half & { readonly kind: "decoder" };

/** Stable Diffusion's autoencoder between pictures and latents of an eighth of their size. */
export interface AutoencoderKl {
	readonly encoder: AutoencoderEncoder;
	readonly decoder: AutoencoderDecoder;
}

/** Declares the whole checkpoint. `dtype` is that of weights and activations; pictures and latents are f32. */
export function declareAutoencoderKl(weights: Weights, config: AutoencoderConfig, dtype: DType): AutoencoderKl {
	return { encoder: declareAutoencoderEncoder(weights, config, dtype), decoder: declareAutoencoderDecoder(weights, config, dtype) };
}

/** Declares `encoder` and `quant_conv`. */
export function declareAutoencoderEncoder(weights: Weights, config: AutoencoderConfig, dtype: DType): AutoencoderEncoder {
	const { channels, latentChannels, layersPerBlock } = config;
	const encoder = weights.at("encoder");
	const moments = 2 * latentChannels;
	return {
		kind: "encoder",
		config,
		dtype,
		convIn: declareConvolution(encoder.at("conv_in"), channels[0], config.inChannels, [3, 3], dtype),
		levels: channels.map((count, i) => {
			const at = encoder.at("down_blocks").at(i);
			const last = i === channels.length - 1;
			return {
				resnets: declareResnets(at, config, layersPerBlock, channels[Math.max(0, i - 1)], count, dtype),
				resampler: last ? undefined : declareResampler(at.at("downsamplers").at(0), count, dtype),
			};
		}),
		middle: declareMiddle(encoder.at("mid_block"), config, channels[channels.length - 1], dtype),
		...declareEnd(encoder, channels[channels.length - 1], moments, dtype),
		quantConv: config.quantConvolution ? declareConvolution(weights.at("quant_conv"), moments, moments, [1, 1], "f32") : undefined,
	};
}

/** Declares `decoder` and `post_quant_conv`. */
export function declareAutoencoderDecoder(weights: Weights, config: AutoencoderConfig, dtype: DType): AutoencoderDecoder {
	const { latentChannels, layersPerBlock } = config;
	const channels = [...config.channels].reverse();
	const decoder = weights.at("decoder");
	return {
		kind: "decoder",
		config,
		dtype,
		convIn: declareConvolution(decoder.at("conv_in"), channels[0], latentChannels, [3, 3], dtype),
		levels: channels.map((count, i) => {
			const at = decoder.at("up_blocks").at(i);
			const last = i === channels.length - 1;
			return {
				resnets: declareResnets(at, config, layersPerBlock + 1, channels[Math.max(0, i - 1)], count, dtype),
				resampler: last ? undefined : declareResampler(at.at("upsamplers").at(0), count, dtype),
			};
		}),
		...declareEnd(decoder, channels[channels.length - 1], config.outChannels, dtype),
		middle: declareMiddle(decoder.at("mid_block"), config, channels[0], dtype),
		quantConv: config.postQuantConvolution
			? declareConvolution(weights.at("post_quant_conv"), latentChannels, latentChannels, [1, 1], "f32")
			: undefined,
	};
}

function declareResnets(weights: Weights, config: AutoencoderConfig, count: number, inChannels: number, outChannels: number, dtype: DType) {
	const groups = config.normGroups;
	return Array.from({ length: count }, (_, i) => {
		const sizes = { inChannels: i === 0 ? inChannels : outChannels, outChannels, groups, eps };
		return declareResnetBlock(weights.at("resnets").at(i), sizes, dtype);
	});
}

function declareEnd(weights: Weights, channels: number, outChannels: number, dtype: DType) {
	return {
		normOut: declareAffine(weights.at("conv_norm_out"), channels),
		convOut: declareConvolution(weights.at("conv_out"), outChannels, channels, [3, 3], dtype),
	};
}

function declareMiddle(weights: Weights, config: AutoencoderConfig, channels: number, dtype: DType): Middle {
	const sizes = { inChannels: channels, outChannels: channels, groups: config.normGroups, eps };
	return {
		first: declareResnetBlock(weights.at("resnets").at(0), sizes, dtype),
		attention: declarePixelAttention(weights.at("attentions").at(0), { channels, groups: config.normGroups, eps }, dtype),
		second: declareResnetBlock(weights.at("resnets").at(1), sizes, dtype),
	};
}

/**
 * Pictures f32 [images, height, width, channels] in [-1, 1] to latents f32 [images, height / 2^(levels - 1), ..., latentChannels]: the
 * mean of the distribution (no noise) times the scaling factor. Throws where the picture does not fit.
 */
export function recordEncode(graph: Graph, encoder: AutoencoderEncoder, x: Tensor): Tensor {
	const { config } = encoder;
	const step = 2 ** (config.channels.length - 1);
	const [images, height, width, channels] = x.shape;
	if (x.shape.length !== 4 || channels !== config.inChannels || height % step !== 0 || width % step !== 0) {
		throw new Error(
			`${graph.path}/encode: picture must be [images, height, width, ${config.inChannels}], sizes multiples of ${step}, got ${describe(x)}`,
		);
	}
	const moments = graph.scope("encoder", () => {
		let hidden = recordConvIn(graph, encoder, x);
		encoder.levels.forEach((level, i) => {
			hidden = graph.scope(`down_blocks.${i}`, () => {
				const y = recordResnets(graph, level, hidden);
				const { resampler } = level;
				return graph.tap("", resampler ? graph.scope("downsamplers.0", () => recordDownsampler(graph, resampler, y, "after")) : y);
			});
		});
		return recordConvOut(graph, encoder, recordMiddle(graph, encoder, hidden));
	});
	const quantised = graph.tap(
		"quant_conv",
		encoder.quantConv ? convolution(graph, { x: moments, ...encoder.quantConv, label: "quant_conv" }) : moments,
	);
	const mean = graph.tensor("mode", "f32", [images, height / step, width / step, config.latentChannels]);
	copyColumns(graph, { x: quantised, columns: config.latentChannels, into: { tensor: mean }, label: "mode" });
	return elementwise(graph, { x: graph.tap("mode", mean), scale: config.scalingFactor, label: "scaling_factor" });
}

/**
 * Latents f32 [images, height, width, latentChannels], scaled as `recordEncode` gives them, to pictures f32 [images, height * 2^(levels - 1),
 * ..., channels], about [-1, 1] and not clamped. Memory grows with the images: give one at a time.
 */
export function recordDecode(graph: Graph, decoder: AutoencoderDecoder, latents: Tensor): Tensor {
	const { config } = decoder;
	if (latents.shape.length !== 4 || latents.shape[3] !== config.latentChannels) {
		throw new Error(`${graph.path}/decode: latents must be [images, height, width, ${config.latentChannels}], got ${describe(latents)}`);
	}
	const unscaled = elementwise(graph, { x: latents, scale: 1 / config.scalingFactor, label: "scaling_factor" });
	const z = decoder.quantConv ? convolution(graph, { x: unscaled, ...decoder.quantConv, label: "post_quant_conv" }) : unscaled;
	return graph.scope("decoder", () => {
		let hidden = recordMiddle(graph, decoder, recordConvIn(graph, decoder, z));
		decoder.levels.forEach((level, i) => {
			hidden = graph.scope(`up_blocks.${i}`, () => {
				const y = recordResnets(graph, level, hidden);
				const { resampler } = level;
				return graph.tap("", resampler ? graph.scope("upsamplers.0", () => recordUpsampler(graph, resampler, y)) : y);
			});
		});
		return recordConvOut(graph, decoder, hidden);
	});
}

function recordConvIn(graph: Graph, half: Half, x: Tensor): Tensor {
	return graph.tap("conv_in", convolution(graph, { x, ...half.convIn, padding: 1, outputDtype: half.dtype, label: "conv_in" }));
}

function recordResnets(graph: Graph, level: Level, x: Tensor): Tensor {
	return level.resnets.reduce((hidden, resnet, i) => graph.scope(`resnets.${i}`, () => recordResnetBlock(graph, resnet, hidden)), x);
}

function recordConvOut(graph: Graph, half: Half, x: Tensor): Tensor {
	const normed = groupNorm(graph, { x, affine: half.normOut, groups: half.config.normGroups, eps, silu: true, label: "conv_norm_out" });
	return convolution(graph, { x: normed, ...half.convOut, padding: 1, outputDtype: "f32", label: "conv_out" });
}

function recordMiddle(graph: Graph, half: Half, x: Tensor): Tensor {
	const { first, attention: middle, second } = half.middle;
	return graph.scope("mid_block", () => {
		const before = graph.scope("resnets.0", () => recordResnetBlock(graph, first, x));
		const between = graph.scope("attentions.0", () => recordPixelAttention(graph, middle, before));
		return graph.tap(
			"",
			graph.scope("resnets.1", () => recordResnetBlock(graph, second, between)),
		);
	});
}

// upstream: SyncHuman/models/SecondStage/structured_latent_vae/decoder_gs.py (IGL-HKUST/SyncHuman 1b540b7)

import { gaussianOffsetPerturbation } from "../../weights/computedBuffers.ts";
import type { ConfigReader } from "../../weights/configReader.ts";
import type { Weights } from "../../weights/weights.ts";
import type { DType, Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { layerNorm } from "../kernels/dense/layerNorm.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { type GaussianHead, type GaussianTensors, gaussianHeadChannels, gaussianParameters } from "../kernels/splat/gaussianParameters.ts";
import { declareLinear, type Linear } from "../layers/linear.ts";
import {
	declareSlatDecoder,
	readSlatDecoderConfig,
	recordSlatDecoder,
	type SlatDecoder,
	type SlatDecoderConfig,
	type SlatDecoderInput,
} from "./slatDecoder.ts";

/** SLatGaussianDecoder: structured latents to some Gaussians a voxel. */
export interface SlatGaussianDecoderConfig {
	readonly trunk: SlatDecoderConfig;
	readonly head: GaussianHead;
}

/** Reads `args` of the model's config.json. Throws code "checkpoint" for values that this engine does not have. */
export function readSlatGaussianDecoderConfig(config: ConfigReader, engine: ConfigReader): SlatGaussianDecoderConfig {
	const trunk = readSlatDecoderConfig(config, engine);
	const head = config.object("representation_config");
	const rates = head.object("lr");
	head.string("scaling_activation", { fallback: "softplus", allowed: ["softplus"] });
	if (!head.boolean("perturb_offset", true)) throw head.error("perturb_offset", "must be true, got false");
	return {
		trunk,
		head: {
			gaussians: head.integer("num_gaussians", { min: 1, max: 1024 }),
			voxelSize: head.number("voxel_size", { min: 1e-3, max: 1e3 }),
			resolution: trunk.resolution,
			rates: {
				position: rates.number("_xyz"),
				color: rates.number("_features_dc"),
				scaling: rates.number("_scaling"),
				rotation: rates.number("_rotation"),
				opacity: rates.number("_opacity"),
			},
			scalingBias: head.number("scaling_bias", { min: 1e-9, max: 1e3 }),
			opacityBias: head.number("opacity_bias", { min: 1e-6, max: 1 - 1e-6 }),
			smallestScale: head.number("3d_filter_kernel_size", { min: 0, max: 1e3 }),
		},
	};
}

/** The declared network. */
export interface SlatGaussianDecoder {
	readonly config: SlatGaussianDecoderConfig;
	readonly trunk: SlatDecoder;
	readonly output: Linear;
	/** f32 [gaussians, 3]: where inside a voxel each Gaussian starts, before the tanh. */
	readonly offsets: Tensor;
}

/** Declares every tensor of the network. */
export function declareSlatGaussianDecoder(weights: Weights, config: SlatGaussianDecoderConfig, dtype: DType): SlatGaussianDecoder {
	const { gaussians, voxelSize } = config.head;
	return {
		config,
		trunk: declareSlatDecoder(weights, config.trunk, dtype),
		output: declareLinear(weights.at("out_layer"), gaussians * gaussianHeadChannels, config.trunk.channels, "f32"),
		offsets: weights.buffer("offset_perturbation", [gaussians, 3], { dtype: "f32" }, () =>
			gaussianOffsetPerturbation(gaussians, voxelSize),
		),
	};
}

/** Records the network. Returns the Gaussians' parameters, f32, row voxel * gaussians + gaussian. Taps out_layer. */
export function recordSlatGaussianDecoder(graph: Graph, model: SlatGaussianDecoder, input: SlatDecoderInput): GaussianTensors {
	const h = recordSlatDecoder(graph, model.trunk, input);
	const normed = layerNorm(graph, { x: h, eps: 1e-5, outputDtype: "f32", label: "final norm" });
	const features = graph.tap("out_layer", matmul(graph, { x: normed, ...model.output, label: "out_layer" }));
	const coords = graph.constant("coords", "i32", [input.coords.length / 4, 4], () => input.coords);
	return gaussianParameters(graph, { features, coords, offsets: model.offsets, head: model.config.head });
}

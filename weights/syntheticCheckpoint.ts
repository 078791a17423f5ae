import { float32ToFloat16 } from "../engine/gpu/float16.ts";
import type { BodyShell } from "../engine/random/bodyGeometry.ts";
import { syntheticFloat32 } from "../engine/random/synthetic.ts";
import type { Checkpoint, Component } from "./checkpoint.ts";
import { type ConfigReader, createConfigReader } from "./configReader.ts";
import type { StoredTensor } from "./source.ts";
import { isJsonObject, parseStrictJson } from "./strictJson.ts";
import { type SyntheticFill, syntheticSource } from "./syntheticSource.ts";

/** Sizes of a synthetic checkpoint: `full` are the released ones, `tiny` runs every code path in seconds on a CPU. */
export type SyntheticSize = "tiny" | "full";

/** What the official loader would find in the folders, as plain JSON. */
export interface SyntheticConfigs {
	readonly oneStage: object;
	readonly secondStage: object;
	readonly engine: object;
	readonly featureExtractor: object;
	readonly components: Readonly<Record<Component, object>>;
	readonly promptWidth: number;
}

/** The standing figure that takes the place of the noise which random weights give (see Stage2Options.syntheticGeometry). */
export const syntheticBody: Readonly<Record<SyntheticSize, BodyShell>> = Object.freeze({
	tiny: { resolution: 64, height: 0.3, halfThickness: 0.9 },
	full: { resolution: 64, height: 0.92, halfThickness: 1.5 },
});

const networks = {
	feature_extractor: "transformers.models.clip.image_processing_clip.CLIPImageProcessor",
	image_encoder: "transformers.models.clip.modeling_clip.CLIPVisionModelWithProjection",
	text_encoder: "transformers.models.clip.modeling_clip.CLIPTextModel",
	SyncHuman_2D3DCrossSpaceDiffusion: "SyncHuman.models.OneStage.SyncHuman_2D3DCrossSpaceDiffusion.SyncHuman_2D3DCrossSpaceDiffusion",
	vae: "diffusers.models.autoencoders.autoencoder_kl.AutoencoderKL",
	sparse_structure_decoder: "SyncHuman.models.OneStage.sparse_structure_vae.SparseStructureDecoder",
};

/** The configs of a synthetic checkpoint; `synchuman synthesize` writes them to disk. */
export function syntheticConfigs(size: SyntheticSize): SyntheticConfigs {
	const tiny = size === "tiny";
	const cross = (name: string) => `CrossAttn${name}MV2D`;
	const unet = {
		_class_name: "SyncHuman_2D3DCrossSpaceDiffusion",
		sample_size: tiny ? 48 : 96,
		in_channels: 8,
		out_channels: 4,
		block_out_channels: tiny ? [8, 16, 16] : [320, 640, 1280, 1280],
		attention_head_dim: tiny ? [1, 2, 2] : [5, 10, 20, 20],
		layers_per_block: tiny ? 1 : 2,
		down_block_types: [...Array(tiny ? 2 : 3).fill(cross("DownBlock")), "DownBlock2D"],
		mid_block_type: "UNetMidBlockMV2DCrossAttn",
		up_block_types: ["UpBlock2D", ...Array(tiny ? 2 : 3).fill(cross("UpBlock"))],
		norm_num_groups: tiny ? 4 : 32,
		norm_eps: 1e-5,
		cross_attention_dim: tiny ? 16 : 1024,
		class_embed_type: "projection",
		projection_class_embeddings_input_dim: tiny ? 32 : 2048,
		flip_sin_to_cos: true,
		freq_shift: 0,
		use_linear_projection: true,
		selfattn_block: "self_rowwise",
		mvcd_attention: true,
		multiview_attention: true,
		cd_attention_mid: false,
		cd_attention_last: false,
		addition_downsample: false,
		center_input_sample: false,
		num_views: 5,
		resolution: 16,
		patch_size: 1,
		trellis_in_channels: 8,
		trellis_out_channels: 8,
		model_channels: tiny ? 16 : 1024,
		cond_channels: tiny ? 16 : 1024,
		num_blocks: tiny ? 6 : 24,
		num_heads: tiny ? 1 : 16,
		num_head_channels: 64,
		num_dual_CrossAttblocks: 2,
		mlp_ratio: 4,
		pe_mode: "ape",
		share_mod: false,
		qk_rms_norm: true,
		qk_rms_norm_cross: false,
		use_fp16: true,
	};
	const decoder = {
		resolution: 64,
		model_channels: tiny ? 64 : 768,
		latent_channels: 8,
		num_blocks: tiny ? 2 : 12,
		num_heads: tiny ? 2 : 12,
		mlp_ratio: 4,
		attn_mode: "swin",
		window_size: 8,
		use_fp16: true,
		mv_condition_mode: "4_view",
		use_multiscale: true,
		use_faceinfo: false,
	};
	const gaussians = {
		lr: { _xyz: 1, _features_dc: 1, _opacity: 1, _scaling: 1, _rotation: 0.1 },
		perturb_offset: true,
		voxel_size: 1.5,
		num_gaussians: 32,
		"2d_filter_kernel_size": 0.1,
		"3d_filter_kernel_size": 9e-4,
		scaling_bias: 4e-3,
		opacity_bias: 0.1,
		scaling_activation: "softplus",
	};
	return {
		oneStage: {
			num_views: 5,
			metadata: Object.fromEntries(Object.entries(networks).map(([name, path]) => [name, { class: path, subdir: name }])),
		},
		secondStage: {
			name: "SyncHumanTwoStagePipeline",
			args: {
				models: { slat_flow_model: "ckpts/slat_flow", slat_decoder_gs: "ckpts/decoder_GS", slat_decoder_mesh: "ckpts/decoder_Mesh" },
				slat_sampler: {
					name: "FlowEulerGuidanceIntervalSampler",
					args: { sigma_min: 1e-5 },
					params: { steps: 25, cfg_strength: 5, cfg_interval: [0.5, 1], rescale_t: 3 },
				},
				slat_normalization: {
					mean: [-2.17, 0, -0.13, -0.08, -0.53, 0.72, -1.14, 1.2],
					std: [2.38, 2.39, 2.12, 2.17, 2.66, 2.37, 2.62, 2.68],
				},
			},
		},
		engine: tiny
			? {
					dual_cross_attention: { SS_query_dim_MV: [8, 16], MV_query_dim_MV: 16, query_dim_Structure: 16, heads: 2, dim_head: 8 },
					dinov2: { embed_dim: 16, depth: 4, num_heads: 1, taps: [0, 1, 2, 3] },
					structure_block_splits: [2, 4],
					multiview_pixels: 448,
					mv_dim_of_blocks: 16,
					num_groups_of_subdivide_blocks: 4,
				}
			: {},
		featureExtractor: {
			crop_size: { height: 224, width: 224 },
			do_center_crop: true,
			do_convert_rgb: true,
			do_normalize: true,
			do_rescale: true,
			do_resize: true,
			image_mean: [0.48145466, 0.4578275, 0.40821073],
			image_std: [0.26862954, 0.26130258, 0.27577711],
			image_processor_type: "CLIPImageProcessor",
			resample: 3,
			rescale_factor: 0.00392156862745098,
			size: { shortest_edge: 224 },
		},
		components: {
			image_encoder: {
				architectures: ["CLIPVisionModelWithProjection"],
				model_type: "clip_vision_model",
				hidden_act: "gelu",
				hidden_size: tiny ? 16 : 1280,
				image_size: 224,
				intermediate_size: tiny ? 32 : 5120,
				layer_norm_eps: 1e-5,
				num_attention_heads: tiny ? 2 : 16,
				num_channels: 3,
				num_hidden_layers: tiny ? 2 : 32,
				patch_size: 14,
				projection_dim: tiny ? 16 : 1024,
			},
			vae: {
				_class_name: "AutoencoderKL",
				act_fn: "silu",
				block_out_channels: tiny ? [8, 8, 16, 16] : [128, 256, 512, 512],
				down_block_types: Array(4).fill("DownEncoderBlock2D"),
				up_block_types: Array(4).fill("UpDecoderBlock2D"),
				in_channels: 3,
				out_channels: 3,
				latent_channels: 4,
				layers_per_block: tiny ? 1 : 2,
				norm_num_groups: tiny ? 4 : 32,
				sample_size: tiny ? 384 : 768,
				scaling_factor: 0.18215,
				use_quant_conv: true,
				use_post_quant_conv: true,
			},
			SyncHuman_2D3DCrossSpaceDiffusion: unet,
			sparse_structure_decoder: {
				name: "SparseStructureDecoder",
				args: {
					out_channels: 1,
					latent_channels: 8,
					num_res_blocks: tiny ? 1 : 2,
					num_res_blocks_middle: tiny ? 1 : 2,
					channels: tiny ? [16, 8, 4] : [512, 128, 32],
					use_fp16: true,
				},
			},
			slat_flow_model: {
				name: "SLatFlowModel",
				args: {
					resolution: 64,
					in_channels: 8,
					out_channels: 8,
					model_channels: tiny ? 32 : 1024,
					cond_channels: tiny ? 16 : 1024,
					num_blocks: tiny ? 2 : 24,
					num_heads: tiny ? 2 : 16,
					mlp_ratio: 4,
					patch_size: 2,
					num_io_res_blocks: 2,
					io_block_channels: [tiny ? 16 : 128],
					pe_mode: "ape",
					qk_rms_norm: true,
					use_fp16: true,
				},
			},
			slat_decoder_gs: { name: "SLatGaussianDecoder", args: { ...decoder, representation_config: gaussians } },
			slat_decoder_mesh: { name: "SLatMeshDecoder", args: { ...decoder, representation_config: { use_color: true } } },
		},
		promptWidth: unet.cross_attention_dim,
	};
}

/**
 * A checkpoint without files: every tensor of both stages from the counter-based generator, the same numbers on every machine.
 * The networks are the real ones in structure, and what they compute is noise.
 */
export function syntheticCheckpoint(
	size: SyntheticSize,
	options: { readonly seed?: number; readonly fillOnDevice?: SyntheticFill } = {},
): Checkpoint {
	const name = `synthetic:${size}`;
	const configs = syntheticConfigs(size);
	const { seed = 0, fillOnDevice } = options;
	const reader = async (file: string, object: object) => syntheticReader(`${name}/${file}`, object);
	return {
		name,
		oneStage: () => reader("pipeline_config.json", configs.oneStage),
		async secondStage() {
			return (await reader("pipeline.json", configs.secondStage)).object("args");
		},
		engine: () => reader("engine.json", configs.engine),
		featureExtractor: () => reader("preprocessor_config.json", configs.featureExtractor),
		async config(component) {
			const config = await reader(`${component}/config.json`, configs.components[component]);
			return config.has("args") ? config.object("args") : config;
		},
		async tensors(component) {
			return syntheticSource({ name: `${name}/${component}`, component, seed, ...(fillOnDevice && { fillOnDevice }) });
		},
		promptEmbeds: async (views) => syntheticPromptEmbeds(views, [7, 77, configs.promptWidth], seed),
	};
}

/** A config of a synthetic checkpoint, read as a file of that name would be. */
export function syntheticReader(name: string, config: object): ConfigReader {
	const parsed = parseStrictJson(JSON.stringify(config), name);
	if (!isJsonObject(parsed)) throw new TypeError(`${name} is not an object`);
	return createConfigReader(parsed, name);
}

/** Made-up prompt embeddings of the colour or the normal views, F16. */
export function syntheticPromptEmbeds(views: "color" | "normal", shape: readonly number[], seed: number): StoredTensor {
	const values = syntheticFloat32(`prompt_embeds/${views}`, shape, seed, { offset: 0, scale: Math.sqrt(3) });
	return { dtype: "F16", shape, bytes: new Uint8Array(float32ToFloat16(values).buffer) };
}

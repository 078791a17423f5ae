import type { PshumanCheckpoint } from "./pshumanCheckpoint.ts";
import { type SyntheticSize, syntheticConfigs, syntheticPromptEmbeds, syntheticReader } from "./syntheticCheckpoint.ts";
import { type SyntheticFill, syntheticSource } from "./syntheticSource.ts";

/** The sampler of a synthetic checkpoint: Stable Diffusion 2.1's settings under DDIM (reference/pshuman/ARCHITECTURE.md, section 4, "sd_v"). */
const scheduler = Object.freeze({
	_class_name: "DDIMScheduler",
	beta_end: 0.012,
	beta_schedule: "scaled_linear",
	beta_start: 0.00085,
	clip_sample: false,
	num_train_timesteps: 1000,
	prediction_type: "v_prediction",
	rescale_betas_zero_snr: false,
	set_alpha_to_one: false,
	steps_offset: 1,
	timestep_spacing: "leading",
});

const noisingScheduler = Object.freeze({
	_class_name: "DDPMScheduler",
	beta_end: 0.02,
	beta_schedule: "squaredcos_cap_v2",
	beta_start: 0.0001,
	num_train_timesteps: 1000,
	prediction_type: "epsilon",
});

/** Views of the released checkpoint: six of the body and the face. */
const views = 7;

/** Keys of SyncHuman's network that belong to its structure half, which PSHuman has not. */
const ofStructure: readonly string[] = [
	...[
		"resolution",
		"patch_size",
		"trellis_in_channels",
		"trellis_out_channels",
		"model_channels",
		"cond_channels",
		"num_blocks",
		"num_heads",
	],
	...["num_head_channels", "num_dual_CrossAttblocks", "mlp_ratio", "pe_mode", "share_mod", "qk_rms_norm", "qk_rms_norm_cross", "use_fp16"],
];

/** Means around 0, deviations around 1. */
const ofNormalizer = (parameter: string) => (parameter === "std" ? { offset: 1, scale: 0.2 } : { offset: 0, scale: 0.1 });

/** Every JSON file of a PSHuman checkpoint, by its folder. */
export interface SyntheticPshumanConfigs {
	readonly unet: object;
	readonly vae: object;
	readonly image_encoder: object;
	readonly image_normalizer: object;
	/** preprocessor_config.json. */
	readonly feature_extractor: object;
	/** scheduler_config.json. */
	readonly scheduler: Readonly<Record<string, unknown>>;
	readonly image_noising_scheduler: Readonly<Record<string, unknown>>;
	/** model_index.json beside the folders: the library and the class of each. */
	readonly index: object;
	/** Width of a picture's embedding, and of a prompt's. */
	readonly embeddingWidth: number;
	readonly promptWidth: number;
}

/** What the files of a synthetic PSHuman checkpoint say. */
export function syntheticPshumanConfigs(size: SyntheticSize): SyntheticPshumanConfigs {
	const { components, featureExtractor, promptWidth } = syntheticConfigs(size);
	const crossSpace = Object.entries(components.SyncHuman_2D3DCrossSpaceDiffusion).filter(([key]) => !ofStructure.includes(key));
	const unet = {
		...Object.fromEntries(crossSpace),
		_class_name: "UNetMV2DConditionModel",
		num_views: views,
		dual_cross_attention: false,
		// Twice as coarse as SyncHuman's tiny network: 28 images take minutes a step on a CPU otherwise.
		...(size === "tiny" && { sample_size: 24 }),
	};
	const { projection_dim: embeddingWidth } = components.image_encoder as { readonly projection_dim: number };
	return {
		unet,
		vae: components.vae,
		image_encoder: components.image_encoder,
		image_normalizer: { _class_name: "StableUnCLIPImageNormalizer", embedding_dim: embeddingWidth },
		feature_extractor: featureExtractor,
		scheduler,
		image_noising_scheduler: noisingScheduler,
		index: {
			_class_name: "StableUnCLIPImg2ImgPipeline",
			feature_extractor: ["transformers", "CLIPImageProcessor"],
			image_encoder: ["transformers", "CLIPVisionModelWithProjection"],
			image_noising_scheduler: ["diffusers", noisingScheduler._class_name],
			image_normalizer: ["stable_diffusion", "StableUnCLIPImageNormalizer"],
			num_views: views,
			scheduler: ["diffusers", scheduler._class_name],
			unet: ["mvdiffusion.models_unclip.unet_mv2d_condition", unet._class_name],
			vae: ["diffusers", "AutoencoderKL"],
		},
		embeddingWidth,
		promptWidth,
	};
}

/**
 * A PSHuman checkpoint without files: SyncHuman's synthetic networks of the same size with seven views (tiny: of 192 pixels), every tensor from the counter-based
 * generator. What they compute is noise.
 */
export function syntheticPshuman(
	size: SyntheticSize,
	options: { readonly seed?: number; readonly fillOnDevice?: SyntheticFill } = {},
): PshumanCheckpoint {
	const name = `synthetic:${size}`;
	const configs = syntheticPshumanConfigs(size);
	const { seed = 0, fillOnDevice } = options;
	return {
		name,
		async config(component) {
			const file = component === "feature_extractor" ? "preprocessor_config.json" : "config.json";
			return syntheticReader(`${name}/${component}/${file}`, configs[component]);
		},
		async tensors(component) {
			const made = { name: `${name}/${component}`, component, seed, ...(fillOnDevice && { fillOnDevice }) };
			return syntheticSource(component === "image_normalizer" ? { ...made, distributionOf: ofNormalizer } : made);
		},
		async scheduler(component) {
			return { path: `${name}/${component}/scheduler_config.json`, json: configs[component] };
		},
		promptEmbeds: async (kind) => syntheticPromptEmbeds(kind, [views, 77, configs.promptWidth], seed),
	};
}

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

/**
 * A PSHuman checkpoint without files: SyncHuman's synthetic networks of the same size with seven views (tiny: of 192 pixels), every tensor from the counter-based
 * generator. What they compute is noise.
 */
export function syntheticPshuman(
	size: SyntheticSize,
	options: { readonly seed?: number; readonly fillOnDevice?: SyntheticFill } = {},
): PshumanCheckpoint {
	const name = `synthetic:${size}`;
	const { components, featureExtractor, promptWidth } = syntheticConfigs(size);
	const { seed = 0, fillOnDevice } = options;
	const crossSpace = Object.entries(components.SyncHuman_2D3DCrossSpaceDiffusion).filter(([key]) => !ofStructure.includes(key));
	const unet = {
		...Object.fromEntries(crossSpace),
		_class_name: "UNetMV2DConditionModel",
		num_views: views,
		dual_cross_attention: false,
		// Twice as coarse as SyncHuman's tiny network: 28 images take minutes a step on a CPU otherwise.
		...(size === "tiny" && { sample_size: 24 }),
	};
	const configs = { unet, vae: components.vae, image_encoder: components.image_encoder };
	return {
		name,
		async config(component) {
			if (component === "feature_extractor") return syntheticReader(`${name}/${component}/preprocessor_config.json`, featureExtractor);
			return syntheticReader(`${name}/${component}/config.json`, configs[component]);
		},
		async tensors(component) {
			const made = { name: `${name}/${component}`, component, seed, ...(fillOnDevice && { fillOnDevice }) };
			return syntheticSource(component === "image_normalizer" ? { ...made, distributionOf: ofNormalizer } : made);
		},
		async scheduler(component) {
			return { path: `${name}/${component}/scheduler_config.json`, json: component === "scheduler" ? scheduler : noisingScheduler };
		},
		promptEmbeds: async (kind) => syntheticPromptEmbeds(kind, [views, 77, promptWidth], seed),
	};
}

/** Steps of the two samplers. */
export interface Preset {
	readonly steps: number;
	readonly stageTwoSteps: number;
}

/** Name of a preset. */
export type PresetName = "quick" | "balanced" | "high";

const presets: Readonly<Record<PresetName, Preset>> = Object.freeze({
	quick: Object.freeze({ steps: 30, stageTwoSteps: 15 }),
	balanced: Object.freeze({ steps: 50, stageTwoSteps: 25 }),
	high: Object.freeze({ steps: 75, stageTwoSteps: 50 }),
});

/**
 * Every value that is used where nothing else is asked for. Sizes and sampler values are those of the official release; where a
 * checkpoint's configuration has its own, that one counts.
 */
export const defaults = Object.freeze({
	/** Of all random numbers. */
	seed: 43,
	preset: "balanced" as PresetName,
	presets,
	/** Stage 1: steps of the 2D-3D network, guidance of both its branches. */
	steps: presets.balanced.steps,
	guidance: 3,
	/** Bends both schedules towards noise. */
	rescaleT: 3,
	/** Stage 2: steps of the latent flow, guidance and the times within which it applies. */
	stageTwoSteps: presets.balanced.stageTwoSteps,
	stageTwoGuidance: 5,
	stageTwoGuidanceInterval: Object.freeze([0.5, 1] as const),
	/** Views: front, right, back, left, face. */
	views: 5,
	/** Voxels of the structure along an axis. */
	structureSize: 64,
	/** Pixels of a side: the views, the input as DINOv2 sees it, the views as DINOv2 sees them. */
	viewSize: 768,
	inputSize: 518,
	dinoViewSize: 896,
	/** Texels per side of the texture (0: none, a colour per vertex), and what it may be. Upstream: 1,024. */
	textureSize: 1024,
	textureSizes: Object.freeze([512, 4096] as const),
	/** Share of the faces that stays. Upstream: 0.3 (its `simplify = 0.7` is the removed share). */
	simplify: 0.3,
	/** Texels per area of the head as a multiple of those elsewhere. */
	faceTexels: 1,
	/** PSHuman's views; the values of its README and of configs/inference-768-6view.yaml. */
	pshuman: Object.freeze({
		/** Pixels, of 768, that the person's longer side is fitted to. */
		cropSize: 740,
		seed: 600,
		steps: 40,
		guidance: 3,
		/** Fresh noise a step: 1 as much as DDPM, 0 none. */
		eta: 1,
		/** Six of the body and the face. */
		views: 7,
	}),
});

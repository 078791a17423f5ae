import type { PshumanCheckpoint } from "../../weights/pshumanCheckpoint.ts";
import { syntheticPshuman } from "../../weights/syntheticPshuman.ts";

/** The tiny PSHuman checkpoint with other whole numbers in its UNet's config; without any, views of 96 pixels. */
export function smallPshuman(changes: Readonly<Record<string, number>> = { sample_size: 12 }): PshumanCheckpoint {
	const tiny = syntheticPshuman("tiny");
	return {
		...tiny,
		async config(component) {
			const config = await tiny.config(component);
			if (component !== "unet") return config;
			return { ...config, integer: (key, options) => changes[key] ?? config.integer(key, options) };
		},
	};
}

import type { GaussianCloud } from "../../engine/splat/gaussianCloud.ts";
import { randomValues } from "./gpu.ts";

/** Gaussians in [-spread, spread]^3, of sizes 0.005 to 0.035 world units, every colour and rotation, opacities 0.02 to 0.98. */
export function randomCloud(count: number, seed: number, spread = 0.4): GaussianCloud {
	const rotations = randomValues(count * 4, seed + 3);
	return {
		count,
		positions: randomValues(count * 3, seed, spread),
		featuresDc: randomValues(count * 3, seed + 1, 2),
		scales: randomValues(count * 3, seed + 2, 0.015).map((value) => value + 0.02),
		rotations: rotations.map((value, i) => value / Math.hypot(...rotations.subarray(i - (i % 4), i - (i % 4) + 4))),
		opacities: randomValues(count, seed + 4, 0.48).map((value) => value + 0.5),
	};
}

import { SyncHumanError } from "../error.ts";

/** 3D Gaussians with constant colour (spherical harmonics of degree 0), in the mesh's world; row-major. */
export interface GaussianCloud {
	readonly count: number;
	/** [n, 3] centres. */
	readonly positions: Float32Array;
	/** [n, 3] coefficients of the constant harmonic: colour = max(0, 0.28209479 c + 0.5). */
	readonly featuresDc: Float32Array;
	/** [n, 3] standard deviations along the axes, world units. */
	readonly scales: Float32Array;
	/** [n, 4] unit quaternions w, x, y, z. */
	readonly rotations: Float32Array;
	/** [n] 0..1. */
	readonly opacities: Float32Array;
}

/** The cloud's arrays in the order of the columns that kernels use, with their widths. */
const columns = [
	["positions", 3],
	["featuresDc", 3],
	["scales", 3],
	["rotations", 4],
	["opacities", 1],
] as const;

/**
 * [n, 14] rows position, colour, scale, rotation, opacity, as the Gaussian kernels take them. Throws code "input" where there are no
 * Gaussians, an array's length is wrong, or a value is not finite, naming it.
 */
export function gaussianRows(cloud: GaussianCloud): Float32Array {
	const { count } = cloud;
	if (!(count >= 1)) throw new SyncHumanError("input", "Gaussians: there are none.");
	const rows = new Float32Array(count * 14);
	let first = 0;
	for (const [name, width] of columns) {
		const values = cloud[name];
		if (values.length !== count * width) {
			throw new SyncHumanError("input", `Gaussians: ${name} must be [${count}, ${width}], got ${values.length} values.`);
		}
		for (let i = 0; i < values.length; i++) {
			const gaussian = Math.floor(i / width);
			if (!Number.isFinite(values[i])) throw new SyncHumanError("input", `Gaussians: ${name} of Gaussian ${gaussian} holds ${values[i]}.`);
			rows[gaussian * 14 + first + (i - gaussian * width)] = values[i];
		}
		first += width;
	}
	return rows;
}

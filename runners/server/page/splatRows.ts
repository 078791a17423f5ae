import type { GaussianCloud } from "../../../engine/splat/gaussianCloud.ts";

/** The constant spherical harmonic. */
const harmonic = 0.28209479177387814;

/** Floats of a Gaussian in the texture that the vertex shader reads: three texels of four. */
const rowLength = 12;

/** Texels of a row of that texture; a whole number of Gaussians. */
export const textureWidth = 3 * 1024;

/** What the shader of splatPoints.ts reads, for `count` Gaussians. */
export interface SplatRows {
	readonly count: number;
	/** [n, 3] centres, y up, facing +z, as the GLB. */
	readonly positions: Float32Array;
	/** [height, textureWidth, 4]: centre and opacity | covariance xx, xy, xz, yy | yz, zz, colour, 0. */
	readonly texels: Float32Array;
	readonly height: number;
}

/**
 * Gaussians turned from our z up to glTF's y up, (x, y, z) -> (x, z, -y), with their covariances R S S^T R^T and their colours as
 * red + 256 green + 65536 blue.
 */
export function splatRows({ count, positions: at, featuresDc, scales, rotations, opacities }: GaussianCloud): SplatRows {
	const height = Math.ceil((count * 3) / textureWidth);
	const texels = new Float32Array(height * textureWidth * 4);
	const positions = new Float32Array(count * 3);
	const axes = new Float64Array(9);
	for (let i = 0; i < count; i++) {
		positions.set([at[3 * i], at[3 * i + 2], -at[3 * i + 1]], 3 * i);
		const [w, x, y, z] = [rotations[4 * i], rotations[4 * i + 1], rotations[4 * i + 2], rotations[4 * i + 3]];
		const rows = [
			...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
			// Turned: the third row, then the second one's opposite.
			...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
			...[-2 * (x * y + w * z), 2 * (x * x + z * z) - 1, -2 * (y * z - w * x)],
		];
		for (let k = 0; k < 9; k++) axes[k] = rows[k] * scales[3 * i + (k % 3)];
		const covariance = (a: number, b: number) =>
			axes[3 * a] * axes[3 * b] + axes[3 * a + 1] * axes[3 * b + 1] + axes[3 * a + 2] * axes[3 * b + 2];
		const byte = (c: number) => Math.round(255 * Math.min(Math.max(harmonic * featuresDc[3 * i + c] + 0.5, 0), 1));
		texels.set(positions.subarray(3 * i, 3 * i + 3), rowLength * i);
		texels.set(
			[
				opacities[i],
				...[covariance(0, 0), covariance(0, 1), covariance(0, 2), covariance(1, 1), covariance(1, 2), covariance(2, 2)],
				byte(0) + 256 * byte(1) + 65_536 * byte(2),
			],
			rowLength * i + 3,
		);
	}
	return { count, positions, texels, height };
}

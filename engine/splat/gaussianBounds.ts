import type { PinholeCamera } from "./cameras.ts";
import type { GaussianCloud } from "./gaussianCloud.ts";

// How much of a picture Gaussians can cover, known without drawing it: bounds of reference/stage2/ARCHITECTURE.md section 9.

/** Side of a tile and the nearest depth that is drawn. */
const [tileSide, nearest] = [16, 0.2];

/** The most that perspective stretches a Gaussian at the rim of what is drawn: 1 + 2 (1.3 tan(20 degrees))^2. */
const stretch = 1.4478;

/** Radius in pixels of a Gaussian's footprint at most. 0.1: the filter; 0.3163: what the official formula of the eigenvalue adds. */
function footprint(scale: number, focal: number, depth: number): number {
	return Math.ceil(3 * Math.sqrt(stretch * ((scale * focal) / depth) ** 2 + 0.1 + 0.3163));
}

/** Per Gaussian the largest of its three scales. */
function largestScale({ scales }: GaussianCloud, gaussian: number): number {
	const at = gaussian * 3;
	return Math.max(scales[at], scales[at + 1], scales[at + 2]);
}

/**
 * Pairs of tile and Gaussian at most, in any square picture of `size` pixels taken from `radius` off the origin with a field of view of up to 40
 * degrees and focal length `focal` (sides of the picture).
 */
export function mostTilePairs(cloud: GaussianCloud, size: number, radius: number, focal: number): number {
	const across = Math.ceil(size / tileSide);
	let pairs = 0;
	for (let i = 0; i < cloud.count; i++) {
		const [x, y, z] = [cloud.positions[i * 3], cloud.positions[i * 3 + 1], cloud.positions[i * 3 + 2]];
		const depth = Math.max(nearest, radius - Math.sqrt(x * x + y * y + z * z));
		const tiles = Math.min(across, Math.floor((2 * footprint(largestScale(cloud, i), focal * size, depth)) / tileSide) + 2);
		pairs += tiles * tiles;
	}
	return pairs;
}

/** For every camera the pixels at most of a square picture of `size` pixels that show something of the cloud: a box around it. */
export function mostCoveredPixels(cloud: GaussianCloud, size: number, cameras: readonly PinholeCamera[]): number[] {
	const lower = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
	const upper = lower.map((value) => -value);
	let scale = 0;
	for (let i = 0; i < cloud.count; i++) {
		for (let axis = 0; axis < 3; axis++) {
			lower[axis] = Math.min(lower[axis], cloud.positions[i * 3 + axis]);
			upper[axis] = Math.max(upper[axis], cloud.positions[i * 3 + axis]);
		}
		scale = Math.max(scale, largestScale(cloud, i));
	}
	const corners = Array.from({ length: 8 }, (_, corner) => [0, 1, 2].map((axis) => ((corner >> axis) & 1 ? upper : lower)[axis]));
	return cameras.map(({ extrinsics, intrinsics: { fx, fy, cx, cy } }) => {
		const seen = corners.map((point) =>
			[0, 1, 2].map((row) => point.reduce((sum, value, axis) => sum + extrinsics[row * 4 + axis] * value, extrinsics[row * 4 + 3])),
		);
		const depth = Math.min(...seen.map(([, , z]) => z));
		if (!(depth > nearest)) return size * size;
		const reach = footprint(scale, Math.max(fx, fy) * size, depth) + 1;
		const span = (places: readonly number[]) => {
			const first = Math.max(0, Math.floor(Math.min(...places) * size - reach));
			return Math.max(0, Math.min(size, Math.ceil(Math.max(...places) * size + reach)) - first);
		};
		return span(seen.map(([x, , z]) => (fx * x) / z + cx)) * span(seen.map(([, y, z]) => (fy * y) / z + cy));
	});
}

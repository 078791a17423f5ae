// The standing figure that synthetic checkpoints use in place of the noise a random network gives: nine capsules. The reference kit's
// stage2/refkit.py has the same one, and both give the same voxels in the same order. World axes: z up, facing -y, right-handed.

interface Capsule {
	readonly start: readonly [number, number, number];
	readonly end: readonly [number, number, number];
	readonly radius: number;
}

const capsules: readonly Capsule[] = [
	{ start: [0, 0, 0.41], end: [0, 0, 0.43], radius: 0.065 }, // head
	{ start: [0, 0, 0.05], end: [0, 0.01, 0.25], radius: 0.105 }, // torso
	{ start: [-0.05, 0, -0.02], end: [0.05, 0, -0.02], radius: 0.09 }, // hips
	{ start: [0.07, 0, -0.05], end: [0.09, 0.02, -0.45], radius: 0.055 }, // legs
	{ start: [-0.07, 0, -0.05], end: [-0.09, -0.02, -0.45], radius: 0.055 },
	{ start: [0.12, 0, 0.27], end: [0.24, -0.02, 0.02], radius: 0.042 }, // arms
	{ start: [-0.12, 0, 0.27], end: [-0.22, -0.06, 0.04], radius: 0.042 },
	{ start: [0.09, -0.06, -0.46], end: [0.09, 0.03, -0.46], radius: 0.035 }, // feet
	{ start: [-0.09, -0.09, -0.46], end: [-0.09, 0, -0.46], radius: 0.035 },
];

function capsuleDistance(x: number, y: number, z: number, { start, end, radius }: Capsule): number {
	const [ax, ay, az] = [end[0] - start[0], end[1] - start[1], end[2] - start[2]];
	const [px, py, pz] = [x - start[0], y - start[1], z - start[2]];
	const t = Math.min(Math.max((px * ax + py * ay + pz * az) / Math.max(ax * ax + ay * ay + az * az, 1e-9), 0), 1);
	const [dx, dy, dz] = [px - t * ax, py - t * ay, pz - t * az];
	return Math.sqrt(dx * dx + dy * dy + dz * dz) - radius;
}

/** Signed distance (negative inside) of a point to the figure of height 1 centred at the origin, in the figure's heights. */
export function bodySdf(x: number, y: number, z: number): number {
	let nearest = Number.POSITIVE_INFINITY;
	for (const capsule of capsules) nearest = Math.min(nearest, capsuleDistance(x, y, z, capsule));
	return nearest;
}

/** Which voxels of a grid over [-0.5, 0.5]^3 belong to the figure's shell. */
export interface BodyShell {
	/** Voxels along each axis. */
	readonly resolution: number;
	/** Of the figure, where the grid's side is 1. */
	readonly height: number;
	/** Largest distance of a voxel's centre to the surface, in voxels (exclusive). */
	readonly halfThickness: number;
}

/** Rows (0, x, y, z) of the shell's voxels, [n, 4] row-major, in lexicographic order, as torch.argwhere gives them. */
export function bodyCoordinates({ resolution, height, halfThickness }: BodyShell): Int32Array {
	const centre = (index: number) => (index + 0.5) / resolution - 0.5;
	const rows: number[] = [];
	for (let x = 0; x < resolution; x++) {
		for (let y = 0; y < resolution; y++) {
			for (let z = 0; z < resolution; z++) {
				const distance = bodySdf(centre(x) / height, centre(y) / height, centre(z) / height) * height * resolution;
				if (Math.abs(distance) < halfThickness) rows.push(0, x, y, z);
			}
		}
	}
	return Int32Array.from(rows);
}

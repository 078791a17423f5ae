import { isBodyPixel } from "../mesh/bodyViews.ts";

// The names of this folder: two cameras that look at each other along `axis` (front and back along y, left and right along x) see the body in
// one pixel frame, in which columns run along the other horizontal axis and rows down with z. The near one stands on the negative side
// (front, left), the far one on the positive side (back, right). Coordinates along every axis count the pixels' centres: 0 is the first
// column's centre, and also the depth of that plane.

/** Normals of a view, [side, side] each: zero where it shows nothing. */
export interface NormalLevel {
	/** Component along the camera's axis, in the direction of the camera: at least `smallestFacing`, or 0. */
	readonly facing: Float32Array;
	/** Component along the columns. */
	readonly across: Float32Array;
	/** Component along z. */
	readonly up: Float32Array;
}

/** Two opposite views at one resolution. */
export interface DepthLevel {
	/** Pixels per side. */
	readonly side: number;
	/** [side, side] signed distance to the border of the body in pixels of this level, negative inside. */
	readonly distance: Float32Array;
	readonly near: NormalLevel;
	readonly far: NormalLevel;
}

/** A view of stage 1: a square normal map, [size, size, 3]; red is +x, green +z, blue -y (towards the front camera). */
export interface NormalView {
	readonly size: number;
	readonly normal: Uint8Array;
}

/** A normal that faces its camera less counts as facing it this much: at the rim it is a guess. */
const smallestFacing = 0.06;

/** Means of a view's normals over the cells of a coarser grid. `axis` 0: the camera looks along x, 1: along y; `sign` -1 for the near one. */
export function normalLevel({ size, normal }: NormalView, axis: 0 | 1, sign: 1 | -1, side: number): NormalLevel {
	const count = side * side;
	const [facing, across, up] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)];
	const cell = Uint32Array.from({ length: size }, (_, i) => Math.floor(((i + 0.5) * side) / size));
	for (let pixel = 0; pixel < size * size; pixel++) {
		if (!isBodyPixel({ normal }, pixel)) continue;
		const at = cell[Math.floor(pixel / size)] * side + cell[pixel % size];
		const [x, z, minusY] = [0, 1, 2].map((channel) => normal[pixel * 3 + channel] / 127.5 - 1);
		facing[at] += sign * (axis === 0 ? x : -minusY);
		across[at] += axis === 0 ? -minusY : x;
		up[at] += z;
	}
	for (let at = 0; at < count; at++) {
		const length = Math.hypot(facing[at], across[at], up[at]);
		if (length === 0) continue;
		const towards = Math.max(facing[at] / length, smallestFacing);
		const rest = Math.hypot(across[at], up[at]);
		const scale = rest > 0 ? Math.sqrt(Math.max(0, 1 - towards * towards)) / rest : 0;
		facing[at] = towards;
		across[at] *= scale;
		up[at] *= scale;
	}
	return { facing, across, up };
}

/** Means of a signed distance [size, size] over the cells of a coarser grid, in pixels of that grid. */
export function distanceLevel(distance: Float32Array, size: number, side: number): Float32Array {
	const sums = new Float64Array(side * side);
	const counts = new Uint32Array(side * side);
	const cell = Uint32Array.from({ length: size }, (_, i) => Math.floor(((i + 0.5) * side) / size));
	for (let pixel = 0; pixel < size * size; pixel++) {
		const at = cell[Math.floor(pixel / size)] * side + cell[pixel % size];
		sums[at] += distance[pixel];
		counts[at]++;
	}
	return Float32Array.from(sums, (sum, at) => ((sum / counts[at]) * side) / size);
}

import { isBodyPixel } from "../mesh/bodyViews.ts";
import type { NormalView } from "./depthLevel.ts";
import type { NormalRaster } from "./normalRaster.ts";

/** Where what a raster shows stands in a view. */
export interface Flow {
	/** [size, size, 2] pixels of the raster to the right and down, 0 where the raster is empty. */
	readonly steps: Float32Array;
	/** [size, size] 0..1 how well the normals agree there. */
	readonly fit: Float32Array;
}

/** Pixels per side of the coarsest level at least; linearisations of a level; sweeps of each. */
const [coarsestSide, warps, sweeps] = [48, 4, 40];
/** How much neighbours' difference counts beside the normals', and over a step in depth; step: pixels of depth per pixel. */
const [smoothness, acrossStep, steepest] = [0.15, 0.01, 4];
/** Misfit of normals from which on it counts less, and the over-relaxation. */
const [spread, relaxation] = [0.3, 1.8];

/** What a view shows, from fine to coarse. */
export type NormalPyramid = readonly { readonly size: number; readonly seen: Float32Array }[];

interface Level {
	readonly size: number;
	/** [size, size, 3] */
	readonly drawn: Float32Array;
	/** [size, size] */
	readonly depth: Float32Array;
	/** [size, size, 3] */
	readonly seen: Float32Array;
}

/** A view's normals at `size` pixels a side, at most its own, and at halves of it. */
export function normalPyramid(view: NormalView, size: number): NormalPyramid {
	const levels = [{ size, seen: normalsOf(view, size) }];
	for (let last = levels[0]; last.size >= coarsestSide * 2 && last.size % 2 === 0; last = levels[levels.length - 1]) {
		levels.push({ size: last.size / 2, seen: halfOf(last.seen, last.size) });
	}
	return levels;
}

/**
 * How the normals that a raster shows must move to lie on those of a view of its size: Horn and Schunck 1981 from coarse to fine, with a robust
 * misfit, free to break where the raster's depth does. Deterministic.
 */
export function normalFlow(raster: NormalRaster, pyramid: NormalPyramid): Flow {
	const levels: Level[] = [];
	let [drawn, depth] = [raster.normals, raster.nearest];
	for (const { size, seen } of pyramid) {
		if (levels.length > 0) {
			depth = nearestOf(depth, size * 2);
			drawn = halfOf(drawn, size * 2);
		}
		levels.push({ size, drawn, depth, seen });
	}
	const coarsest = levels[levels.length - 1];
	let steps: Float32Array = new Float32Array(coarsest.size * coarsest.size * 2);
	for (let i = levels.length - 1; i >= 0; i--) {
		const level = levels[i];
		if (level !== coarsest) steps = doubled(steps, levels[i + 1].size, level.size);
		for (let warp = 0; warp < warps; warp++) relax(level, steps);
	}
	return { steps, fit: fitOf(levels[0], steps) };
}

function fitOf(level: Level, steps: Float32Array): Float32Array {
	const { size, depth, drawn } = level;
	return depth.map((nearest, pixel) => {
		if (nearest === Number.NEGATIVE_INFINITY) return 0;
		const [x, y] = [(pixel % size) + steps[pixel * 2], Math.floor(pixel / size) + steps[pixel * 2 + 1]];
		let misfit = 0;
		for (let c = 0; c < 3; c++) misfit += (sampled(level, x, y, c) - drawn[pixel * 3 + c]) ** 2;
		return 1 / (1 + misfit / (spread * spread));
	});
}

/** [size, size, 3] means of a view's normals over the cells of a grid, world axes, shorter beside a rim; zero outside. */
function normalsOf({ size: own, normal }: NormalView, size: number): Float32Array {
	const sums = new Float32Array(size * size * 3);
	const counts = new Uint32Array(size * size);
	const cell = Uint32Array.from({ length: own }, (_, i) => Math.floor(((i + 0.5) * size) / own));
	for (let pixel = 0; pixel < own * own; pixel++) {
		const at = cell[Math.floor(pixel / own)] * size + cell[pixel % own];
		counts[at]++;
		if (!isBodyPixel({ normal }, pixel)) continue;
		const x = normal[pixel * 3] / 127.5 - 1;
		const z = normal[pixel * 3 + 1] / 127.5 - 1;
		const minusY = normal[pixel * 3 + 2] / 127.5 - 1;
		const length = Math.max(1e-6, Math.sqrt(x * x + z * z + minusY * minusY));
		sums[at * 3] += x / length;
		sums[at * 3 + 1] -= minusY / length;
		sums[at * 3 + 2] += z / length;
	}
	return sums.map((value, i) => value / Math.max(1, counts[(i / 3) | 0]));
}

/** [size / 2, size / 2, 3] means of four. */
function halfOf(values: Float32Array, size: number): Float32Array {
	const side = size / 2;
	const result = new Float32Array(side * side * 3);
	for (let i = 0; i < result.length; i++) {
		const pixel = (i / 3) | 0;
		const at = (Math.floor(pixel / side) * 2 * size + (pixel % side) * 2) * 3 + (i % 3);
		result[i] = (values[at] + values[at + 3] + values[at + size * 3] + values[at + size * 3 + 3]) / 4;
	}
	return result;
}

/** [size / 2, size / 2] the largest of four. */
function nearestOf(depth: Float32Array, size: number): Float32Array {
	const side = size / 2;
	return Float32Array.from({ length: side * side }, (_, pixel) => {
		const at = Math.floor(pixel / side) * 2 * size + (pixel % side) * 2;
		return Math.max(depth[at], depth[at + 1], depth[at + size], depth[at + size + 1]);
	});
}

function doubled(flow: Float32Array, from: number, to: number): Float32Array {
	const scale = to / from;
	return Float32Array.from({ length: to * to * 2 }, (_, i) => {
		const pixel = i >> 1;
		const x = Math.min(Math.max(((pixel % to) + 0.5) / scale - 0.5, 0), from - 1.001);
		const y = Math.min(Math.max((Math.floor(pixel / to) + 0.5) / scale - 0.5, 0), from - 1.001);
		const [left, top] = [Math.floor(x), Math.floor(y)];
		const at = (top * from + left) * 2 + (i & 1);
		const [u, v] = [x - left, y - top];
		return scale * ((flow[at] * (1 - u) + flow[at + 2] * u) * (1 - v) + (flow[at + from * 2] * (1 - u) + flow[at + from * 2 + 2] * u) * v);
	});
}

/** Linearises about `flow` and improves it, in place. */
function relax(level: Level, flow: Float32Array): void {
	const { size, drawn, depth } = level;
	const pixels: number[] = [];
	for (let pixel = 0; pixel < size * size; pixel++) if (depth[pixel] > Number.NEGATIVE_INFINITY) pixels.push(pixel);
	const count = pixels.length;
	// Per pixel the normal equations [xx, xy, yy, x, y] of the misfit, and the weights of four neighbours.
	const system = new Float64Array(count * 5);
	const links = new Float64Array(count * 4);
	const step = steepest / size;
	for (let i = 0; i < count; i++) {
		const pixel = pixels[i];
		const [column, row] = [pixel % size, Math.floor(pixel / size)];
		const [x, y] = [column + flow[pixel * 2], row + flow[pixel * 2 + 1]];
		let misfit = 0;
		for (let c = 0; c < 3; c++) {
			const difference = sampled(level, x, y, c) - drawn[pixel * 3 + c];
			const gx = (sampled(level, x + 1, y, c) - sampled(level, x - 1, y, c)) / 2;
			const gy = (sampled(level, x, y + 1, c) - sampled(level, x, y - 1, c)) / 2;
			misfit += difference * difference;
			system[i * 5] += gx * gx;
			system[i * 5 + 1] += gx * gy;
			system[i * 5 + 2] += gy * gy;
			const rest = gx * flow[pixel * 2] + gy * flow[pixel * 2 + 1] - difference;
			system[i * 5 + 3] += gx * rest;
			system[i * 5 + 4] += gy * rest;
		}
		const weight = 1 / Math.sqrt(1 + misfit / (spread * spread));
		for (let k = 0; k < 5; k++) system[i * 5 + k] *= weight;
		for (const [d, next] of [
			[0, column > 0 ? pixel - 1 : -1],
			[1, column < size - 1 ? pixel + 1 : -1],
			[2, row > 0 ? pixel - size : -1],
			[3, row < size - 1 ? pixel + size : -1],
		]) {
			if (next < 0 || depth[next] === Number.NEGATIVE_INFINITY) continue;
			links[i * 4 + d] = smoothness * (Math.abs(depth[next] - depth[pixel]) > step ? acrossStep : 1);
		}
	}
	for (let sweep = 0; sweep < sweeps; sweep++) {
		for (let i = 0; i < count; i++) {
			const at = pixels[i] * 2;
			let [weight, sumX, sumY] = [1e-9, 0, 0];
			for (let d = 0; d < 4; d++) {
				const link = links[i * 4 + d];
				if (link === 0) continue;
				const next = at + [-2, 2, -size * 2, size * 2][d];
				weight += link;
				sumX += link * flow[next];
				sumY += link * flow[next + 1];
			}
			const [xx, xy, yy] = [system[i * 5] + weight, system[i * 5 + 1], system[i * 5 + 2] + weight];
			const [bx, by] = [system[i * 5 + 3] + sumX, system[i * 5 + 4] + sumY];
			const determinant = xx * yy - xy * xy;
			const [fx, fy] = [(bx * yy - by * xy) / determinant, (by * xx - bx * xy) / determinant];
			flow[at] += relaxation * (fx - flow[at]);
			flow[at + 1] += relaxation * (fy - flow[at + 1]);
		}
	}
}

/** A channel of the view's normals between pixels' centres. */
function sampled({ size, seen }: Level, x: number, y: number, c: number): number {
	const [cx, cy] = [Math.min(Math.max(x, 0), size - 1.001), Math.min(Math.max(y, 0), size - 1.001)];
	const [left, top] = [Math.floor(cx), Math.floor(cy)];
	const at = (top * size + left) * 3 + c;
	const [u, v] = [cx - left, cy - top];
	return (seen[at] * (1 - u) + seen[at + 3] * u) * (1 - v) + (seen[at + size * 3] * (1 - u) + seen[at + size * 3 + 3] * u) * v;
}

import { type PyramidLevel, pyramidLevels } from "../kernels/mesh/texturePyramid.ts";
import type { PixelLookups } from "./pixelLookups.ts";

/** How strongly a texel is held where it was: beside a pixel that counts 1, and beside the pixels that look it up. */
const [restWeight, restShare] = [0.005, 0.1];
/** Steps of conjugate gradients; more change nothing that could be seen. */
const iterations = 6;

/**
 * The texture f32 [size, size, 3] (0..1, row 0 at v = 0) whose lookups come nearest to the pixels' colours, by weighted least squares: conjugate
 * gradients from `start`, which what no pixel looks up keeps. Lookups are trilinear in box-filtered levels, as textureSample.wgsl's. On the host; deterministic.
 */
export function solveTexture(start: Float32Array, size: number, views: readonly PixelLookups[]): Float32Array {
	const levels = pyramidLevels(size, size);
	const systems = views.map((view) => systemOf(view, levels));
	const last = levels[levels.length - 1];
	const texels = last.firstTexel + last.width * last.height;
	const pyramid = new Float32Array(texels * 3);
	const gradient = new Float32Array(texels * 3);
	const count = size * size * 3;

	/** gradient[0 .. count] = A^T W (A x - colours), the colours left out where `x` is a direction. */
	const apply = (x: Float32Array, isDirection: boolean) => {
		fillPyramid(x, pyramid, levels);
		gradient.fill(0);
		for (const system of systems) addGradient(system, pyramid, gradient, isDirection);
		foldPyramid(gradient, levels, 3);
	};

	const sums = weightSums(systems, texels, levels);
	const rest = sums.map((sum) => restWeight + restShare * sum);
	const inverse = sums.map((sum, i) => 1 / (sum + rest[i])); // about the diagonal's: the preconditioner
	const x = start.slice();
	const [residual, direction] = [new Float32Array(count), new Float32Array(count)];
	apply(x, false);
	let energy = 0;
	for (let i = 0; i < count; i++) {
		residual[i] = -gradient[i];
		direction[i] = residual[i] * inverse[(i / 3) | 0];
		energy += residual[i] * direction[i];
	}
	for (let step = 0; step < iterations && energy > 0; step++) {
		apply(direction, true);
		let curvature = 0;
		for (let i = 0; i < count; i++) {
			gradient[i] += rest[(i / 3) | 0] * direction[i];
			curvature += gradient[i] * direction[i];
		}
		const length = energy / curvature;
		let next = 0;
		for (let i = 0; i < count; i++) {
			x[i] += length * direction[i];
			residual[i] -= length * gradient[i];
			next += residual[i] * residual[i] * inverse[(i / 3) | 0];
		}
		const share = next / energy;
		energy = next;
		for (let i = 0; i < count; i++) direction[i] = residual[i] * inverse[(i / 3) | 0] + share * direction[i];
	}
	for (let i = 0; i < count; i++) x[i] = Math.min(Math.max(x[i], 0), 1);
	return x;
}

/** The rows of a view: row i takes shares[starts[i] .. starts[i + 1]] of texels of all levels. */
interface System {
	readonly starts: Uint32Array;
	readonly texels: Uint32Array;
	readonly shares: Float32Array;
	/** [rows, 3] 0..1 */
	readonly colors: Float32Array;
	readonly weights: Float32Array;
}

function systemOf({ values, perPixel, weights }: PixelLookups, levels: readonly PyramidLevel[]): System {
	const count = values.length / 4;
	const floats = new Float32Array(values.buffer, values.byteOffset, values.length);
	const rows = count / perPixel;
	const starts = new Uint32Array(rows + 1);
	const texels = new Uint32Array(count * 8);
	const shares = new Float32Array(count * 8);
	const colors = new Float32Array(rows * 3);
	const kept = new Float32Array(rows);
	let end = 0;
	let row = 0;
	for (let pixel = 0; pixel < rows; pixel++) {
		if (weights[pixel] === 0) continue;
		const first = end;
		let looked = 0;
		for (let k = 0; k < perPixel; k++) {
			const at = (pixel * perPixel + k) * 4;
			const [u, v, level] = [floats[at], floats[at + 1], floats[at + 2]];
			if (u === 0 && v === 0) continue;
			looked++;
			const lower = Math.min(Math.floor(level), levels.length - 1);
			const part = level - lower;
			end = addTaps(levels[lower], u, v, 1 - part, texels, shares, end);
			if (part > 0) end = addTaps(levels[Math.min(lower + 1, levels.length - 1)], u, v, part, texels, shares, end);
		}
		if (looked === 0) continue;
		for (let i = first; i < end; i++) shares[i] /= looked;
		const color = values[pixel * perPixel * 4 + 3];
		for (let c = 0; c < 3; c++) colors[row * 3 + c] = ((color >>> (8 * c)) & 255) / 255;
		kept[row++] = weights[pixel];
		starts[row] = end;
	}
	return { starts: starts.slice(0, row + 1), texels: texels.slice(0, end), shares: shares.slice(0, end), colors, weights: kept };
}

function addTaps(
	{ width, height, firstTexel }: PyramidLevel,
	u: number,
	v: number,
	weight: number,
	texels: Uint32Array,
	shares: Float32Array,
	end: number,
): number {
	const [x, y] = [u * width - 0.5, v * height - 0.5];
	const [left, top] = [Math.floor(x), Math.floor(y)];
	for (let corner = 0; corner < 4; corner++) {
		const [column, row] = [(left + (corner & 1) + width) % width, (top + (corner >> 1) + height) % height];
		texels[end] = firstTexel + row * width + column;
		shares[end++] = weight * (corner & 1 ? x - left : left + 1 - x) * (corner >> 1 ? y - top : top + 1 - y);
	}
	return end;
}

function addGradient(
	{ starts, texels, shares, colors, weights }: System,
	x: Float32Array,
	gradient: Float32Array,
	isDirection: boolean,
): void {
	for (let row = 0; row + 1 < starts.length; row++) {
		const [from, to] = [starts[row], starts[row + 1]];
		let [r, g, b] = [0, 0, 0];
		for (let i = from; i < to; i++) {
			const at = texels[i] * 3;
			const share = shares[i];
			r += share * x[at];
			g += share * x[at + 1];
			b += share * x[at + 2];
		}
		if (!isDirection) {
			r -= colors[row * 3];
			g -= colors[row * 3 + 1];
			b -= colors[row * 3 + 2];
		}
		const weight = weights[row];
		r *= weight;
		g *= weight;
		b *= weight;
		for (let i = from; i < to; i++) {
			const at = texels[i] * 3;
			const share = shares[i];
			gradient[at] += share * r;
			gradient[at + 1] += share * g;
			gradient[at + 2] += share * b;
		}
	}
}

/** [texels of the first level] how much pixels that look a texel up count there, together. */
function weightSums(systems: readonly System[], texels: number, levels: readonly PyramidLevel[]): Float32Array {
	const sums = new Float32Array(texels);
	for (const { starts, texels: of, shares, weights } of systems) {
		for (let row = 0; row + 1 < starts.length; row++) {
			for (let i = starts[row]; i < starts[row + 1]; i++) sums[of[i]] += shares[i] * weights[row];
		}
	}
	foldPyramid(sums, levels, 1);
	return sums.slice(0, levels[0].width * levels[0].height);
}

function fillPyramid(x: Float32Array, pyramid: Float32Array, levels: readonly PyramidLevel[]): void {
	pyramid.set(x);
	for (let level = 1; level < levels.length; level++) {
		const { width, height, firstTexel } = levels[level];
		const below = levels[level - 1];
		const [fx, fy] = [below.width / width, below.height / height];
		const scale = 1 / (fx * fy);
		for (let y = 0; y < height; y++) {
			for (let x = 0; x < width; x++) {
				const to = (firstTexel + y * width + x) * 3;
				for (let c = 0; c < 3; c++) {
					let sum = 0;
					for (let dy = 0; dy < fy; dy++)
						for (let dx = 0; dx < fx; dx++) sum += pyramid[(below.firstTexel + (y * fy + dy) * below.width + x * fx + dx) * 3 + c];
					pyramid[to + c] = sum * scale;
				}
			}
		}
	}
}

/** The transpose of `fillPyramid`: all levels of [texels, channels] into the first. */
function foldPyramid(gradient: Float32Array, levels: readonly PyramidLevel[], channels: number): void {
	for (let level = levels.length - 1; level > 0; level--) {
		const { width, height, firstTexel } = levels[level];
		const below = levels[level - 1];
		const [fx, fy] = [below.width / width, below.height / height];
		const scale = 1 / (fx * fy);
		for (let y = 0; y < below.height; y++) {
			for (let x = 0; x < below.width; x++) {
				const from = (firstTexel + Math.floor(y / fy) * width + Math.floor(x / fx)) * channels;
				const to = (below.firstTexel + y * below.width + x) * channels;
				for (let c = 0; c < channels; c++) gradient[to + c] += gradient[from + c] * scale;
			}
		}
	}
}

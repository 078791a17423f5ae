import { type Image, imageOf } from "../image/image.ts";
import { domains } from "../layers/multiviewLayout.ts";
import type { FlowStep } from "../samplers/flowEuler.ts";
import { split } from "./imageArrangement.ts";

// Coarse views from the middle of stage 1, for people who wait: a linear map of the latents in place of the decoder. They cost a readback of
// 1.5 MB and a few million operations of the host each, and change nothing of the run.

/** What the colour views will be, as far as it can be told. */
export interface ViewPreview {
	/** Steps done and in all. */
	readonly step: number;
	readonly steps: number;
	/** RGB of front, right, back, left, face; squares, a pixel a latent. */
	readonly views: readonly Image[];
}

/** Previews of a run at most, besides the one of its end. */
const previewsOfRun = 16;

/** Whether the latents after step `index` are shown: often enough to be watched, and the last ones, which are still to be decoded. */
export function isPreviewed(index: number, steps: number): boolean {
	return (index + 1) % Math.ceil(steps / previewsOfRun) === 0 || index + 1 === steps;
}

/** A linear map from latents to colours: [channels + 1, 3], weights of each channel and a constant for red, green and blue in 0..255. */
export interface LatentColors {
	readonly channels: number;
	readonly weights: Float64Array;
}

/**
 * The map that fits encoded pictures best (least squares), so that it suits whatever autoencoder encoded them. `latents`: [size, size,
 * channels] of each picture; `pictures`: squares of a whole number of pixels a latent, RGB first.
 */
export function fitLatentColors(latents: readonly Float32Array[], pictures: readonly Image[], channels: number): LatentColors {
	const width = channels + 1;
	const products = new Float64Array(width * width);
	const targets = new Float64Array(width * 3);
	const row = new Float64Array(width).fill(1);
	latents.forEach((values, picture) => {
		const colors = blockMeans(pictures[picture], Math.sqrt(values.length / channels));
		for (let pixel = 0; pixel * channels < values.length; pixel++) {
			row.set(values.subarray(pixel * channels, (pixel + 1) * channels));
			for (let a = 0; a < width; a++) {
				for (let b = 0; b < width; b++) products[a * width + b] += row[a] * row[b];
				for (let c = 0; c < 3; c++) targets[a * 3 + c] += row[a] * colors[pixel * 3 + c];
			}
		}
	});
	// A little of the diagonal more: what hardly varies in these pictures, and may in other views, gets a small weight instead of any.
	for (let a = 0; a < channels; a++) products[a * width + a] = products[a * width + a] * (1 + 1e-3) + 1e-12;
	return { channels, weights: solved(products, targets, width) };
}

/** Means of the pixels of each latent: [size * size, 3] in 0..255. */
function blockMeans({ width, channels, data }: Image, size: number): Float64Array {
	const block = width / size;
	if (!Number.isInteger(block)) throw new RangeError(`blockMeans: ${width} pixels are no whole number of ${size} blocks`);
	const means = new Float64Array(size * size * 3);
	for (let y = 0; y < size * block; y++) {
		for (let x = 0; x < size * block; x++) {
			const at = (Math.floor(y / block) * size + Math.floor(x / block)) * 3;
			for (let c = 0; c < 3; c++) means[at + c] += data[(y * width + x) * channels + c] / block ** 2;
		}
	}
	return means;
}

/** X of A X = B by elimination, A symmetric and positive [n, n], B [n, 3]; both are used up. */
function solved(a: Float64Array, b: Float64Array, n: number): Float64Array {
	for (let pivot = 0; pivot < n; pivot++) {
		for (let row = 0; row < n; row++) {
			if (row === pivot) continue;
			const factor = a[row * n + pivot] / a[pivot * n + pivot];
			for (let column = pivot; column < n; column++) a[row * n + column] -= factor * a[pivot * n + column];
			for (let c = 0; c < 3; c++) b[row * 3 + c] -= factor * b[pivot * 3 + c];
		}
	}
	return b.map((value, i) => value / a[Math.floor(i / 3) * (n + 1)]);
}

/** Latents of all images in the middle of a run. */
export interface SeenLatents {
	/** The flow's time of them. */
	readonly time: number;
	/** [views * domains, size, size, channels], view-major, normal before colour. */
	readonly images: Float32Array;
}

/**
 * The colour views that the flow is heading for: from the latents of two times on along the straight line through them, to time 0.
 * (x_t = (1 - t) x_0 + t noise, so x_0 = x_t - t (x_s - x_t) / (s - t) where the flow is straight.)
 */
export function previewViews(before: SeenLatents, now: SeenLatents, { channels, weights }: LatentColors, views: number): Image[] {
	const onward = now.time / (before.time - now.time);
	const earlier = split(before.images, views * domains);
	const later = split(now.images, views * domains);
	return Array.from({ length: views }, (_, view) => view * domains + 1)
		.map((image) => later[image].map((value, i) => value - onward * (earlier[image][i] - value)))
		.map((values) => {
			const pixels = values.length / channels;
			const samples = new Uint8Array(pixels * 3);
			for (let i = 0; i < samples.length; i++) {
				const [pixel, c] = [Math.floor(i / 3), i % 3];
				let sum = weights[channels * 3 + c];
				for (let channel = 0; channel < channels; channel++) sum += weights[channel * 3 + c] * values[pixel * channels + channel];
				samples[i] = Math.min(Math.max(Math.round(sum), 0), 255);
			}
			return imageOf(Math.sqrt(pixels), Math.sqrt(pixels), 3, samples);
		});
}

/** Called with the latents after a step of the schedule. */
export type WatchLatents = (step: FlowStep, images: Float32Array) => void;

/** What `runDiffusion` is watched with so that `show` is called with previews; `noise` is what it begins with. */
export function previewing(
	request: { readonly noise: Float32Array; readonly steps: number; readonly views: number; readonly colors: LatentColors },
	show: (preview: ViewPreview) => void,
): WatchLatents {
	const { steps, views, colors } = request;
	let before: SeenLatents = { time: 1, images: request.noise };
	return ({ index, nextTime }, images) => {
		const now = { time: nextTime, images };
		show({ step: index + 1, steps, views: previewViews(before, now, colors, views) });
		before = now;
	};
}

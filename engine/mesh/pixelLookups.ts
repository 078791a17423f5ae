import type { BakeObservation, TextureSamples } from "./textureSamples.ts";

/** What a view says about a texture: every pixel is the mean of as many lookups. */
export interface PixelLookups {
	/** u32 [pixels, perPixel, 4] as in `TextureSamples`; a lookup at (0, 0) says nothing. */
	readonly values: Uint32Array;
	readonly perPixel: number;
	/** [pixels] how much each counts. */
	readonly weights: Float32Array;
}

/** A pixel that a surface seen face on fills counts 1, others cos^`sharpness`. */
const sharpness = 2.5;
/** A pixel as white as the background counts this much: picture and mask disagree there, or a white shirt is seen, which all views show. */
const [whiteLevel, whiteShare] = [240, 0.05];
/** The share of the pixels that are taken to be seen face on. */
const faceOn = 0.1;

/** The same view with four pixels for each: a renderer takes several samples of a pixel, and so does `pixelLookups`. */
export function finerView(view: BakeObservation): BakeObservation {
	const { width, height, color, mask } = view;
	const channels = color.length / (width * height);
	const doubled = (from: Uint8Array, depth: number) => {
		const to = new Uint8Array(from.length * 4);
		for (let i = 0; i < width * height * 4; i++) {
			const pixel = (Math.floor(i / (width * 2)) >> 1) * width + ((i % (width * 2)) >> 1);
			for (let c = 0; c < depth; c++) to[i * depth + c] = from[pixel * depth + c];
		}
		return to;
	};
	return { ...view, width: width * 2, height: height * 2, color: doubled(color, channels), ...(mask && { mask: doubled(mask, 1) }) };
}

/**
 * The samples of `finerView(view)` by the pixels of `view`, which must have a mask, for a texture of `size` texels a side. Pixels that see the
 * surface from the side count less, so that where views disagree the one that sees a place best decides.
 */
export function pixelLookups(view: BakeObservation, samples: TextureSamples, size: number, weight: number): PixelLookups {
	const { width, height, mask, rowsRunWithRaster } = view;
	if (mask === undefined || mask.reduce((sum, value) => sum + (value === 0 ? 0 : 4), 0) !== samples.count) {
		throw new Error("pixelLookups: the samples are not those of this view made finer");
	}
	const values = new Uint32Array(samples.values.length);
	let [pixel, first] = [0, 0];
	for (let row = 0; row < height; row++) {
		const line = mask.subarray((rowsRunWithRaster ? row : height - 1 - row) * width).subarray(0, width);
		const count = line.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0);
		for (let i = 0; i < count; i++, pixel++) {
			for (let k = 0; k < 4; k++) {
				const from = first + (k >> 1) * 2 * count + 2 * i + (k & 1);
				values.set(samples.values.subarray(from * 4, from * 4 + 4), (pixel * 4 + k) * 4);
			}
		}
		first += 4 * count;
	}
	return { values, perPixel: 4, weights: facingWeights(values, size).map((share, i) => share * weight * whiteness(values[i * 16 + 3])) };
}

/** cos^`sharpness` of the angle that each pixel's surface is seen under, by how far apart in the texture its four lookups lie. */
function facingWeights(values: Uint32Array, size: number): Float32Array {
	const floats = new Float32Array(values.buffer, values.byteOffset, values.length);
	const distance = (pixel: number, a: number, b: number) => {
		const [p, q] = [(pixel * 4 + a) * 4, (pixel * 4 + b) * 4];
		return Math.hypot(floats[p] - floats[q], floats[p + 1] - floats[q + 1]) * size;
	};
	// Of two neighbours' distances the smaller one: the other may cross a seam.
	const stretch = Float32Array.from({ length: values.length / 16 }, (_, pixel) =>
		Math.max(Math.min(distance(pixel, 0, 1), distance(pixel, 2, 3)), Math.min(distance(pixel, 0, 2), distance(pixel, 1, 3)), 1e-6),
	);
	const least = stretch.slice().sort()[Math.floor(stretch.length * faceOn)];
	return stretch.map((value) => Math.min(1, least / value) ** sharpness);
}

function whiteness(color: number): number {
	return Math.min(color & 255, (color >>> 8) & 255, (color >>> 16) & 255) >= whiteLevel ? whiteShare : 1;
}

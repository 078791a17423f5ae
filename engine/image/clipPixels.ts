import { crop } from "./crop.ts";
import { dropAlpha, type FloatImage, type Image } from "./image.ts";
import { pillowResize } from "./pillowResize.ts";

/** The part of preprocessor_config.json that decides CLIP's input. */
export interface ClipPreprocessing {
	/** Length of the shorter side after the resize. */
	readonly shortestEdge: number;
	readonly cropWidth: number;
	readonly cropHeight: number;
	readonly rescaleFactor: number;
	readonly mean: readonly number[];
	readonly deviation: readonly number[];
}

/**
 * Hugging Face's CLIPImageProcessor: shorter side to `shortestEdge` (Pillow's bicubic), centre crop, k * rescaleFactor in doubles, then
 * mean and deviation in float32. [cropHeight, cropWidth, 3].
 */
export function clipPixels(image: Image, preprocessing: ClipPreprocessing): FloatImage {
	const { shortestEdge, cropWidth, cropHeight, rescaleFactor, mean, deviation } = preprocessing;
	const { width, height } = image;
	const longEdge = Math.trunc((shortestEdge * Math.max(width, height)) / Math.min(width, height));
	const resized = pillowResize(dropAlpha(image), width <= height ? shortestEdge : longEdge, width <= height ? longEdge : shortestEdge);
	const left = Math.floor((resized.width - cropWidth) / 2);
	const top = Math.floor((resized.height - cropHeight) / 2);
	const { data } = crop(resized, [left, top, left + cropWidth, top + cropHeight]);
	const [means, deviations] = [Float32Array.from(mean), Float32Array.from(deviation)];
	const values = new Float32Array(data.length);
	for (let i = 0; i < data.length; i++) {
		values[i] = Math.fround(Math.fround(data[i] * rescaleFactor) - means[i % 3]) / deviations[i % 3];
	}
	return { width: cropWidth, height: cropHeight, channels: 3, data: values };
}

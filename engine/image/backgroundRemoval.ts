import { dropAlpha, type FloatImage, type Image, imageNetStatistics, imageOf } from "./image.ts";
import { pillowResize } from "./pillowResize.ts";

// What rembg (2.0.59 and newer) does before and after its U^2-Net: sessions/u2net.py, sessions/base.py, bg.py.

/** Pixels of a side of what the network sees. */
export const backgroundNetworkSize = 320;

/** A picture for the network. */
export interface BackgroundInput {
	/** RGB [320, 320, 3], as Pillow resizes it. */
	readonly resized: Image;
	/** f32 [320, 320, 3]: over the picture's own maximum, then ImageNet's mean and deviation. */
	readonly pixels: FloatImage;
}

/** rembg's `normalize`: alpha dropped, LANCZOS to 320 x 320 whatever the aspect, k / maximum, (x - mean) / deviation in float64, then float32. */
export function backgroundInput(image: Image): BackgroundInput {
	const resized = pillowResize(dropAlpha(image), backgroundNetworkSize, backgroundNetworkSize, "lanczos");
	const most = Math.max(
		1e-6,
		resized.data.reduce((a, b) => Math.max(a, b), 0),
	);
	const { mean, deviation } = imageNetStatistics;
	const data = Float32Array.from(resized.data, (value, i) => (value / most - mean[i % 3]) / deviation[i % 3]);
	return { resized, pixels: { ...resized, data } };
}

/**
 * rembg's mask of the network's first output, [height * width] in 0..1: stretched to 0..255 over the picture, cut off to whole numbers.
 * Departs from upstream: an output that is equal everywhere gives an empty mask; there it divides by zero.
 */
export function saliencyMask(saliency: Float32Array, width: number, height: number): Image {
	let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
	for (const value of saliency) {
		least = Math.min(least, value);
		most = Math.max(most, value);
	}
	const range = Math.fround(most - least);
	const data = new Uint8Array(saliency.length);
	if (range > 0) {
		for (let i = 0; i < data.length; i++) data[i] = Math.fround(Math.fround(Math.fround(saliency[i] - least) / range) * 255);
	}
	return imageOf(width, height, 1, data);
}

/** The mask in a picture's size, one channel: PIL's LANCZOS on 8 bits. */
export function maskFor(image: Image, mask: Image): Image {
	return pillowResize(mask, image.width, image.height, "lanczos");
}

/** Pillow's product of two 8-bit shares. */
function product(a: number, b: number): number {
	const t = a * b + 128;
	return ((t >> 8) + t) >> 8;
}

/** rembg's cut-out, RGBA: `Image.composite(image, transparent, mask)`, every channel times the mask, so colours are premultiplied on black. */
export function premultipliedCutOut(image: Image, mask: Image): Image {
	return masked(image, mask, product);
}

/**
 * The cut-out for our stages, RGBA: alpha as rembg's, colours as they were (straight alpha).
 * Departs from upstream: utils/remove_bg.py hands on rembg's premultiplied colours, which darken every edge once more on white.
 */
export function straightCutOut(image: Image, mask: Image): Image {
	return masked(image, mask, (color) => color);
}

function masked({ width, height, channels, data }: Image, mask: Image, colorOf: (color: number, share: number) => number): Image {
	const cut = new Uint8Array(width * height * 4);
	for (let pixel = 0; pixel < width * height; pixel++) {
		const share = mask.data[pixel];
		for (let c = 0; c < 3; c++) cut[pixel * 4 + c] = colorOf(data[pixel * channels + c], share);
		cut[pixel * 4 + 3] = product(channels === 4 ? data[pixel * 4 + 3] : 255, share);
	}
	return { width, height, channels: 4, data: cut };
}

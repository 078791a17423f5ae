import { SyncHumanError } from "../error.ts";

/** A picture of 8-bit samples: rows from the top, pixels from the left, channels last. sRGB in 0..255; alpha is straight. */
export interface Image {
	readonly width: number;
	readonly height: number;
	/** 3: RGB, 4: RGBA. */
	readonly channels: number;
	/** [height, width, channels] */
	readonly data: Uint8Array;
}

/** A picture of float32 samples, channels last. sRGB in 0..1 unless a function says otherwise. */
export interface FloatImage {
	readonly width: number;
	readonly height: number;
	readonly channels: number;
	/** [height, width, channels] */
	readonly data: Float32Array;
}

/** A picture over existing samples. Throws a RangeError where their number does not fit. */
export function imageOf(width: number, height: number, channels: number, data: Uint8Array): Image {
	if (data.length !== width * height * channels)
		throw new RangeError(`imageOf: data must have [${height}, ${width}, ${channels}] samples, got ${data.length}`);
	return { width, height, channels, data };
}

/** A picture of zeros: black, or transparent with an alpha channel. */
export function blankImage(width: number, height: number, channels: number): Image {
	return { width, height, channels, data: new Uint8Array(width * height * channels) };
}

/** PIL: `Image.convert("RGB")` of an RGB or RGBA picture: alpha is dropped, colours stay. */
export function dropAlpha(image: Image): Image {
	if (image.channels === 3) return image;
	const { width, height, channels, data } = image;
	const rgb = new Uint8Array(width * height * 3);
	for (let pixel = 0; pixel < width * height; pixel++) {
		for (let c = 0; c < 3; c++) rgb[pixel * 3 + c] = data[pixel * channels + c];
	}
	return { width, height, channels: 3, data: rgb };
}

/** Samples as float32 k/255, correctly rounded. torchvision: `to_tensor` (there channels first). */
export function toFloatImage({ width, height, channels, data }: Image): FloatImage {
	const values = new Float32Array(data.length);
	for (let i = 0; i < data.length; i++) values[i] = data[i] / 255;
	return { width, height, channels, data: values };
}

/** torchvision: `to_pil_image`: x * 255 in float32, cut off to a whole number. Exact for values k/255; x in [0, 1]. */
export function truncateToImage({ width, height, channels, data }: FloatImage): Image {
	const samples = new Uint8Array(data.length);
	for (let i = 0; i < data.length; i++) samples[i] = Math.fround(data[i] * 255);
	return { width, height, channels, data: samples };
}

/** Means and deviations of the three colours, of pictures in 0..1. */
export interface ColorStatistics {
	readonly mean: readonly number[];
	readonly deviation: readonly number[];
}

/** ImageNet's, for DINOv2. */
export const imageNetStatistics: ColorStatistics = Object.freeze({ mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] });

/** (x - mean) / deviation per channel, in float32. torchvision: `Normalize`. Throws where there are not three channels. */
export function normalizeColors(image: FloatImage, { mean, deviation }: ColorStatistics): FloatImage {
	const { width, height, channels, data } = image;
	if (channels !== 3) throw new RangeError(`normalizeColors: the picture must have 3 channels, got ${channels}`);
	const [means, deviations] = [Float32Array.from(mean), Float32Array.from(deviation)];
	const values = new Float32Array(data.length);
	for (let c = 0; c < 3; c++) {
		const [ofMean, ofDeviation] = [means[c], deviations[c]];
		for (let i = c; i < data.length; i += 3) values[i] = Math.fround(data[i] - ofMean) / ofDeviation;
	}
	return { width, height, channels, data: values };
}

/** What the VAE encoder gets: 2 x - 1 of k/255, in [-1, 1]. */
export function vaeInput(image: Image): FloatImage {
	const { data, ...rest } = toFloatImage(dropAlpha(image));
	return { ...rest, data: data.map((value) => Math.fround(value * 2) - 1) };
}

/** The input error of a picture that cannot be used. */
export function unusable(problem: string, hint: string): SyncHumanError {
	return new SyncHumanError("input", `The picture ${problem}.`, hint);
}

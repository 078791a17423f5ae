import { roundHalfToEven } from "../roundHalfToEven.ts";
import { blankImage, type Image } from "./image.ts";

/** Left, top, right and bottom edge in pixels; right and bottom are outside. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** PIL: `image.crop(box)`: edges are rounded half to even, what lies outside the picture is zero (transparent). */
export function crop(image: Image, box: Box): Image {
	const [left, top, right, bottom] = box.map(roundHalfToEven);
	const result = blankImage(Math.max(0, right - left), Math.max(0, bottom - top), image.channels);
	copyInto(result, image, -left, -top);
	return result;
}

/** Upstream's `add_margin`: the picture in the middle of a transparent square of `size`, which it must not exceed. */
export function addMargin(image: Image, size: number): Image {
	if (image.width > size || image.height > size)
		throw new RangeError(`addMargin: ${image.width} x ${image.height} does not fit a square of ${size}`);
	const result = blankImage(size, size, image.channels);
	copyInto(result, image, Math.floor((size - image.width) / 2), Math.floor((size - image.height) / 2));
	return result;
}

/** Copies the samples of `source` into `target` with its corner at (left, top); parts outside the target are left out. */
export function copyInto(target: Image, source: Image, left: number, top: number): void {
	const { channels } = source;
	const firstColumn = Math.max(0, -left);
	const lastColumn = Math.min(source.width, target.width - left);
	if (lastColumn <= firstColumn) return;
	for (let y = Math.max(0, -top); y < Math.min(source.height, target.height - top); y++) {
		const from = (y * source.width + firstColumn) * channels;
		const row = source.data.subarray(from, from + (lastColumn - firstColumn) * channels);
		target.data.set(row, ((y + top) * target.width + left + firstColumn) * channels);
	}
}

/** Samples [height, width, channels] with left and right exchanged, as a copy. */
export function mirroredSamples(values: Uint8Array, width: number, channels: number): Uint8Array {
	const turned = new Uint8Array(values.length);
	const rowLength = width * channels;
	for (let at = 0; at < values.length; at += channels) {
		const column = at % rowLength;
		for (let c = 0; c < channels; c++) turned[at - column + rowLength - channels - column + c] = values[at + c];
	}
	return turned;
}

/** A picture with left and right exchanged. */
export function mirrored(image: Image): Image {
	return { ...image, data: mirroredSamples(image.data, image.width, image.channels) };
}

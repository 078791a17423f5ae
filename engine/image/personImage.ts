import { addMargin, type Box, crop } from "./crop.ts";
import { alphaBox, checkPersonImage, solidAlpha } from "./foreground.ts";
import { type FloatImage, type Image, truncateToImage } from "./image.ts";
import { pillowResize } from "./pillowResize.ts";

// The two ways upstream's pipelines prepare the input picture (IGL-HKUST/SyncHuman 1b540b7, SyncHumanOneStagePipeline: load_img_face,
// preprocess_image), bit for bit.

/** The input picture and its face, both square and on white. */
export interface PersonAndFace {
	/** RGBA, before the background: the fitted picture and the cut-out face. */
	readonly marginRgba: Image;
	readonly faceRgba: Image;
	/** RGB float32 on white. */
	readonly person: FloatImage;
	readonly face: FloatImage;
}

/**
 * The person in the middle of a transparent square of `size` pixels: the box of what is visible, without its last row and column, fitted
 * to `cropSize` pixels (SyncHuman 768, PSHuman 740); with a negative cropSize the whole picture, square and resized. Both upstreams'
 * `load_image`, bit for bit. The picture must have passed `checkPersonImage`.
 */
function personCanvas(image: Image, size: number, cropSize = size): Image {
	if (cropSize < 0) return pillowResize(addMargin(image, Math.max(image.width, image.height)), size, size);
	const visible = crop(image, alphaBox(image, 0) as Box);
	const scale = cropSize / Math.max(visible.height, visible.width);
	return addMargin(pillowResize(visible, Math.trunc(scale * visible.width), Math.trunc(scale * visible.height)), size);
}

/**
 * Upstream's `load_img_face` at `size` pixels (768): the person fitted into a square; the face is the middle third of the upper third,
 * enlarged. `cropSize` as in `personCanvas`. Throws code "input" for a picture that cannot be used.
 */
export function loadPersonAndFace(image: Image, size: number, cropSize = size): PersonAndFace {
	checkPersonImage(image);
	const marginRgba = personCanvas(image, size, cropSize);
	const third = size / 3;
	const faceRgba = pillowResize(crop(marginRgba, [third, 0, third * 2, third]), size, size);
	return { marginRgba, faceRgba, person: onWhite(marginRgba), face: onWhite(faceRgba) };
}

/** An RGBA picture on white: rgb * a + (1 - a) in float32, of samples k/255. */
function onWhite({ width, height, data }: Image): FloatImage {
	const values = new Float32Array(width * height * 3);
	for (let pixel = 0; pixel < width * height; pixel++) {
		const alpha = Math.fround(data[pixel * 4 + 3] / 255);
		const white = Math.fround(1 - alpha);
		for (let c = 0; c < 3; c++) values[pixel * 3 + c] = Math.fround(Math.fround(data[pixel * 4 + c] / 255) * alpha) + white;
	}
	return { width, height, channels: 3, data: values };
}

/**
 * Upstream's `preprocess_image` at `size` pixels (518), what DINOv2 sees of the input: a square 1.2 times as large as the solid
 * person around its centre, on black. RGB. Throws code "input" for a picture that cannot be used.
 */
export function centredOnBlack(image: Image, size: number): Image {
	checkPersonImage(image);
	const [left, top, right, bottom] = alphaBox(image, solidAlpha) as Box;
	const [x, y] = [(left + right) / 2, (top + bottom) / 2];
	const half = Math.floor(Math.trunc(Math.max(right - left, bottom - top) * 1.2) / 2);
	const { data } = pillowResize(crop(image, [x - half, y - half, x + half, y + half]), size, size, "lanczos");
	const values = new Float32Array(size * size * 3);
	for (let pixel = 0; pixel < size * size; pixel++) {
		const alpha = Math.fround(data[pixel * 4 + 3] / 255);
		for (let c = 0; c < 3; c++) values[pixel * 3 + c] = Math.fround(data[pixel * 4 + c] / 255) * alpha;
	}
	return truncateToImage({ width: size, height: size, channels: 3, data: values });
}

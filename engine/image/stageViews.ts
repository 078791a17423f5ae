import { bilinearResize } from "./bilinear.ts";
import { copyInto } from "./crop.ts";
import { blankImage, dropAlpha, type FloatImage, type Image, imageNetStatistics, normalizeColors, toFloatImage } from "./image.ts";
import { pillowResize } from "./pillowResize.ts";

// Views as they leave stage 1 and enter stage 2 (IGL-HKUST/SyncHuman 1b540b7: SyncHumanOneStagePipeline.run, save_images;
// SyncHumanTwoStagePipeline: load_image_rgb, encode_image_mv).

/** Decoded latents in [-1, 1] to pictures in [0, 1]: (x / 2 + 0.5) clamped. diffusers: `VaeImageProcessor.postprocess`. */
export function decodedToFloat(decoded: FloatImage): FloatImage {
	return { ...decoded, data: decoded.data.map((value) => Math.min(Math.max(Math.fround(value / 2) + 0.5, 0), 1)) };
}

/**
 * The face normals, a third as large, over the middle third of the upper third of the front normals: pixels 3 k + 1 of the face view, which
 * is what a bilinear resize by 3 picks. Both are square, of one size that is a multiple of 3. Gives a new front view.
 */
export function pasteFaceNormals(front: FloatImage, face: FloatImage): FloatImage {
	const { width: size, channels } = front;
	if (size % 3 !== 0 || front.height !== size || face.width !== size || face.height !== size) {
		throw new RangeError(
			`pasteFaceNormals: both views must be squares of one size, a multiple of 3; got ${size} x ${front.height} and ${face.width} x ${face.height}`,
		);
	}
	const third = size / 3;
	const data = front.data.slice();
	for (let y = 0; y < third; y++) {
		for (let x = 0; x < third; x++) {
			const from = ((3 * y + 1) * size + 3 * x + 1) * channels;
			data.set(face.data.subarray(from, from + channels), (y * size + third + x) * channels);
		}
	}
	return { ...front, data };
}

/** torchvision: `save_image`'s samples: x * 255 + 0.5 in float32, clamped, cut off to whole numbers. */
export function quantize({ width, height, channels, data }: FloatImage): Image {
	const samples = new Uint8Array(data.length);
	for (let i = 0; i < data.length; i++) samples[i] = Math.min(Math.max(Math.fround(Math.fround(data[i] * 255) + 0.5), 0), 255);
	return { width, height, channels, data: samples };
}

/** The overview upstream writes as concat.png: colour and normals of view 0, colour and normals of view 1, ... in one row. */
export function viewStrip(colors: readonly Image[], normals: readonly Image[]): Image {
	const [{ width, height, channels }] = colors;
	const strip = blankImage(width * colors.length * 2, height, channels);
	colors.forEach((color, view) => {
		copyInto(strip, color, view * 2 * width, 0);
		copyInto(strip, normals[view], (view * 2 + 1) * width, 0);
	});
	return strip;
}

/** A view's picture as stage 2 loads it: RGB at `size` (768) by Pillow's bicubic, float32 in 0..1. Alpha is dropped. */
export function loadView(image: Image, size: number): FloatImage {
	return toFloatImage(pillowResize(dropAlpha(image), size, size));
}

/** What DINOv2 gets of a stage-2 view: bilinear to `size` (896), then ImageNet's mean and deviation. */
export function viewForDino(view: FloatImage, size: number): FloatImage {
	return normalizeColors(bilinearResize(view, size, size), imageNetStatistics);
}

/** What DINOv2 gets of the 518-pixel input picture. */
export function inputForDino(image: Image): FloatImage {
	return normalizeColors(toFloatImage(image), imageNetStatistics);
}

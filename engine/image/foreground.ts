import type { Box } from "./crop.ts";
import { type Image, unusable } from "./image.ts";

const takeOutBackground =
	"Remove the background first (any background remover that saves PNG with transparency), so that only the person is opaque.";

/** Largest number of pixels that is read: PIL's own limit against decompression bombs. */
export const maxPixels = 178_956_970;

/** The box around the pixels whose alpha is above `threshold`: first and last column and row, both inclusive; undefined where none is. */
export function alphaBox({ width, height, channels, data }: Image, threshold: number): Box | undefined {
	let [left, top, right, bottom] = [width, height, -1, -1];
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			if (data[(y * width + x) * channels + channels - 1] <= threshold) continue;
			left = Math.min(left, x);
			right = Math.max(right, x);
			top = Math.min(top, y);
			bottom = y;
		}
	}
	return right < 0 ? undefined : [left, top, right, bottom];
}

/**
 * Refuses pictures that both stages cannot use, with code "input": no alpha channel, nothing transparent, nothing opaque, or a person
 * of a pixel's width.
 */
export function checkPersonImage(image: Image): void {
	const { width, height, channels, data } = image;
	if (width * height > maxPixels)
		throw unusable(`has ${width} x ${height} pixels, more than ${maxPixels}`, "Scale it down; 2,000 pixels are plenty.");
	if (channels !== 4) throw unusable("has no alpha channel", takeOutBackground);
	let transparent = false;
	for (let i = 3; i < data.length && !transparent; i += 4) transparent = data[i] < 255;
	if (!transparent) throw unusable("is opaque everywhere", takeOutBackground);
	const visible = alphaBox(image, 0);
	const solid = alphaBox(image, solidAlpha);
	if (visible === undefined || solid === undefined) throw unusable("shows nobody: no pixel is opaque", takeOutBackground);
	const sides = ([left, top, right, bottom]: Box) => [right - left, bottom - top];
	if (Math.min(...sides(visible)) < 1 || Math.max(...sides(solid)) < 2) {
		const [width, height] = sides(visible);
		throw unusable(
			`shows a person of only ${width + 1} x ${height + 1} pixels`,
			"Give a picture of a whole person, some hundred pixels high.",
		);
	}
}

/** Alpha above which a pixel counts for the box of the 518-pixel picture (upstream: 0.8 * 255). */
export const solidAlpha = 204;

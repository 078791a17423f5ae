import type { Image } from "./image.ts";

/** Colours from which a pixel of a plain white background on counts as white. */
const whiteLevel = 245;

/**
 * A picture taken on plain white, RGBA: what is white and connected with the border is transparent, all else opaque. White inside
 * the person stays.
 */
export function cutFromWhite({ width, height, channels, data }: Image): Image {
	const cut = new Uint8Array(width * height * 4);
	for (let pixel = 0; pixel < width * height; pixel++) {
		cut.set(data.subarray(pixel * channels, pixel * channels + 3), pixel * 4);
		cut[pixel * 4 + 3] = 255;
	}
	const white = (pixel: number) => cut[pixel * 4] >= whiteLevel && cut[pixel * 4 + 1] >= whiteLevel && cut[pixel * 4 + 2] >= whiteLevel;
	// Every pixel comes in once; a plain array could not hold as many as the largest picture has.
	const open = new Int32Array(width * height);
	let waiting = 0;
	const reach = (pixel: number) => {
		if (cut[pixel * 4 + 3] === 0 || !white(pixel)) return;
		cut[pixel * 4 + 3] = 0;
		open[waiting++] = pixel;
	};
	for (let x = 0; x < width; x++) for (const y of [0, height - 1]) reach(y * width + x);
	for (let y = 0; y < height; y++) for (const x of [0, width - 1]) reach(y * width + x);
	while (waiting > 0) {
		const pixel = open[--waiting];
		const x = pixel % width;
		if (x > 0) reach(pixel - 1);
		if (x < width - 1) reach(pixel + 1);
		if (pixel >= width) reach(pixel - width);
		if (pixel < width * (height - 1)) reach(pixel + width);
	}
	return { width, height, channels: 4, data: cut };
}

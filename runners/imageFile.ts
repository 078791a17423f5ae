import sharp from "sharp";
import { SyncHumanError } from "../engine/error.ts";
import { maxPixels } from "../engine/image/foreground.ts";
import { type Image, imageOf } from "../engine/image/image.ts";

/** Bounds of a picture file that is read: pixels of a side, pixels in all, bytes. */
export const pictureLimits = Object.freeze({ minSide: 16, maxSide: 32_768, maxPixels, maxBytes: 2 ** 29 });

/** First bytes of the formats that are read. */
const formats: Readonly<Record<string, (bytes: Uint8Array) => boolean>> = Object.freeze({
	PNG: (bytes) => startsWith(bytes, 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
	JPEG: (bytes) => startsWith(bytes, 0, [0xff, 0xd8, 0xff]),
	WebP: (bytes) => startsWith(bytes, 0, [0x52, 0x49, 0x46, 0x46]) && startsWith(bytes, 8, [0x57, 0x45, 0x42, 0x50]),
});

function startsWith(bytes: Uint8Array, at: number, expected: readonly number[]): boolean {
	return expected.every((byte, index) => bytes[at + index] === byte);
}

/**
 * A PNG (8 or 16 bit), JPEG or WebP file as 8-bit sRGB, [height, width, 3 or 4], alpha straight: turned as its EXIF orientation says,
 * colours of an embedded profile converted, 16-bit samples cut to their upper byte (as Pillow does), of an animation the first
 * picture. `name` begins every message. Throws code "input" for anything else, for damaged files and beyond `pictureLimits`.
 */
export async function decodePicture(bytes: Uint8Array, name: string): Promise<Image> {
	const { minSide, maxSide, maxBytes } = pictureLimits;
	const format = Object.keys(formats).find((one) => formats[one](bytes));
	if (format === undefined) {
		throw unreadable(
			name,
			"is not a picture that can be read",
			`Give a ${Object.keys(formats)
				.join(", ")
				.replace(/, (?=\w+$)/, " or ")} file.`,
		);
	}
	if (bytes.length > maxBytes) throw unreadable(name, `has ${bytes.length} bytes, more than ${maxBytes}`, "Scale it down.");
	const damaged = (cause: unknown) =>
		new SyncHumanError("input", `${name}: the ${format} file is damaged or incomplete.`, "Save or download the picture again.", { cause });
	const open = () => sharp(bytes, { failOn: "error", limitInputPixels: false });
	const { width = 0, height = 0 } = await open()
		.metadata()
		.catch((cause) => Promise.reject(damaged(cause)));
	const size = `has ${width} x ${height} pixels`;
	if (Math.min(width, height) < minSide) {
		throw unreadable(name, `${size}, fewer than ${minSide} a side`, "Give a picture of a whole person, some hundred pixels high.");
	}
	if (Math.max(width, height) > maxSide || width * height > maxPixels) {
		const limit = `more than ${maxPixels} in all or ${maxSide} a side`;
		throw unreadable(name, `${size}, ${limit}`, "Scale it down; 2,000 pixels are plenty.");
	}
	const { data, info } = await open()
		.autoOrient()
		.toColourspace("srgb")
		.raw({ depth: "uchar" })
		.toBuffer({ resolveWithObject: true })
		.catch((cause) => Promise.reject(damaged(cause)));
	return imageOf(info.width, info.height, info.channels, new Uint8Array(data.buffer, data.byteOffset, data.length));
}

/** A PNG file of an RGB or RGBA picture: the same bytes for the same picture. */
export async function encodePng(image: Image): Promise<Uint8Array> {
	const { width, height, data } = image;
	return sharp(data, { raw: { width, height, channels: channelsOf(image) }, limitInputPixels: false })
		.png({ compressionLevel: 6, adaptiveFiltering: true, palette: false })
		.toBuffer();
}

/** An RGB picture as a lossless WebP file: the same bytes for the same picture. */
export async function encodeWebp(image: Image): Promise<Uint8Array> {
	const { width, height, data } = image;
	return sharp(data, { raw: { width, height, channels: channelsOf(image) }, limitInputPixels: false })
		.webp({ lossless: true, effort: 4 })
		.toBuffer();
}

/** A small picture as a lossy WebP file, for looking at. */
export async function encodePreview(image: Image): Promise<Uint8Array> {
	const { width, height, data } = image;
	return sharp(data, { raw: { width, height, channels: channelsOf(image) } })
		.webp({ quality: 80 })
		.toBuffer();
}

/** A picture on a mesh, PNG, JPEG or WebP of any size, as 8-bit sRGB [height, width, 3 or 4]. Throws code "input" beginning with `name`. */
export async function decodeTexture(bytes: Uint8Array, name: string): Promise<Image> {
	try {
		const { data, info } = await sharp(bytes, { failOn: "error" })
			.toColourspace("srgb")
			.raw({ depth: "uchar" })
			.toBuffer({ resolveWithObject: true });
		return imageOf(info.width, info.height, info.channels, new Uint8Array(data.buffer, data.byteOffset, data.length));
	} catch (cause) {
		throw new SyncHumanError("input", `${name}: its texture cannot be read.`, "Save the file again with PNG, JPEG or WebP textures.", {
			cause,
		});
	}
}

/** Pictures of one size, shown one after the other for `delayMs` each, again and again: an animated WebP or GIF file. */
export async function encodeAnimation(frames: readonly Image[], format: "webp" | "gif", delayMs: number): Promise<Uint8Array> {
	const [first] = frames;
	const { width, height } = first;
	const data = new Uint8Array(first.data.length * frames.length);
	frames.forEach((frame, i) => {
		data.set(frame.data, i * first.data.length);
	});
	const all = sharp(data, {
		raw: { width, height: height * frames.length, channels: channelsOf(first), pageHeight: height },
		limitInputPixels: false,
	});
	const timing = { loop: 0, delay: frames.map(() => delayMs) };
	return format === "webp" ? all.webp({ ...timing, quality: 85 }).toBuffer() : all.gif(timing).toBuffer();
}

function channelsOf({ channels }: Image): 3 | 4 {
	if (channels !== 3 && channels !== 4) throw new RangeError(`a picture must have 3 or 4 channels, got ${channels}`);
	return channels;
}

function unreadable(name: string, problem: string, hint: string): SyncHumanError {
	return new SyncHumanError("input", `${name}: ${problem}.`, hint);
}

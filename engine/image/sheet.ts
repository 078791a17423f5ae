import { copyInto, crop } from "./crop.ts";
import { type Image, imageOf } from "./image.ts";

/** Pictures of one height and as many channels side by side, `gap` pixels of `ground` (default white, opaque) between them. */
export function pictureRow(pictures: readonly Image[], gap: number, ground: readonly number[] = [255, 255, 255, 255]): Image {
	const width = pictures.reduce((sum, picture) => sum + picture.width, gap * (pictures.length - 1));
	const [{ height, channels }] = pictures;
	const sheet = imageOf(width, height, channels, new Uint8Array(width * height * channels));
	for (let i = 0; i < width * height; i++) sheet.data.set(ground.slice(0, channels), i * channels);
	let left = 0;
	for (const picture of pictures) {
		copyInto(sheet, picture, left, 0);
		left += picture.width + gap;
	}
	return sheet;
}

/** The middle columns of a picture, `width` of them. */
export function middleColumns(picture: Image, width: number): Image {
	const left = Math.floor((picture.width - width) / 2);
	return crop(picture, [left, 0, left + width, picture.height]);
}

/** RGB [height, width, 3] of an RGBA picture (straight alpha) over a colour. */
export function overBackground({ width, height, data }: Image, [red, green, blue]: readonly [number, number, number]): Image {
	const flat = new Uint8Array(width * height * 3);
	for (let i = 0; i < width * height; i++) {
		const alpha = data[i * 4 + 3] / 255;
		flat[i * 3] = Math.round(data[i * 4] * alpha + red * (1 - alpha));
		flat[i * 3 + 1] = Math.round(data[i * 4 + 1] * alpha + green * (1 - alpha));
		flat[i * 3 + 2] = Math.round(data[i * 4 + 2] * alpha + blue * (1 - alpha));
	}
	return imageOf(width, height, 3, flat);
}

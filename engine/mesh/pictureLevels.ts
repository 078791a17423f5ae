/** One level of detail. */
export interface PictureLevel {
	readonly width: number;
	readonly height: number;
	/** [height, width, 4]; alpha 255. */
	readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * A picture u8 [height, width, 3 or 4] and all its smaller levels down to one pixel, each the mean of four pixels of the one before (a last odd
 * row or column is left out). Alpha becomes 255.
 */
export function pictureLevels(picture: {
	readonly width: number;
	readonly height: number;
	readonly channels: number;
	readonly data: Uint8Array;
}): PictureLevel[] {
	const { width, height, channels, data } = picture;
	const first = new Uint8Array(width * height * 4).fill(255);
	for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) first[i * 4 + c] = data[i * channels + c];
	const levels: PictureLevel[] = [{ width, height, data: first }];
	for (let above = levels[0]; above.width > 1 || above.height > 1; above = levels[levels.length - 1]) levels.push(half(above));
	return levels;
}

function half(above: PictureLevel): PictureLevel {
	const [width, height] = [Math.max(1, above.width >> 1), Math.max(1, above.height >> 1)];
	const data = new Uint8Array(width * height * 4);
	const right = above.width > 1 ? 4 : 0;
	const below = above.height > 1 ? above.width * 4 : 0;
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			const from = (Math.min(y * 2, above.height - 1) * above.width + Math.min(x * 2, above.width - 1)) * 4;
			for (let c = 0; c < 4; c++) {
				const sum =
					above.data[from + c] + above.data[from + right + c] + above.data[from + below + c] + above.data[from + right + below + c];
				data[(y * width + x) * 4 + c] = (sum + 2) >> 2;
			}
		}
	}
	return { width, height, data };
}

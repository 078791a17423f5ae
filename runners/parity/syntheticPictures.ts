import type { Image } from "../../engine/image/image.ts";

/** The kit's RGB picture `synth(h, w)`: gradients, products and a chequered pattern, all in whole numbers. */
export function syntheticPicture(height: number, width: number): Image {
	const data = new Uint8Array(height * width * 3);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			const chequer = ((x >> 4) ^ (y >> 4)) & 1 ? 40 : 0;
			for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = x * (c + 2) + y * (3 - c) + ((x * y) >> (5 + c)) + chequer;
		}
	}
	return { width, height, channels: 3, data };
}

/** The kit's `synth_rgba(h, w)`: the same colours, opaque inside an ellipse with a soft edge. */
export function syntheticPersonPicture(height: number, width: number): Image {
	const colors = syntheticPicture(height, width).data;
	const part = (size: number, times: number, over: number) => Math.floor((size * times) / over);
	const [centreX, centreY] = [part(width, 9, 20), part(height, 11, 20)];
	const [radiusX, radiusY] = [part(width, 3, 10), part(height, 2, 5)];
	const data = new Uint8Array(height * width * 4);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			const pixel = y * width + x;
			const squares = (x - centreX) ** 2 * radiusY ** 2 + (y - centreY) ** 2 * radiusX ** 2;
			const t = Math.floor((1024 * squares) / (radiusX ** 2 * radiusY ** 2));
			data.set(colors.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
			data[pixel * 4 + 3] = t < 900 ? 255 : t >= 1100 ? 0 : Math.floor(((1100 - t) * 255) / 200);
		}
	}
	return { width, height, channels: 4, data };
}

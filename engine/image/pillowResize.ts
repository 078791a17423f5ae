import { type Image, unusable } from "./image.ts";

// Pillow's 8-bit resize, bit for bit: weights as whole numbers of 2^-22, rows first, each pass rounded to 8 bits. RGBA goes through
// premultiplied colours, with Pillow's roundings both ways. Checked against Pillow 9.4.

/** Pillow's filters; `Image.resize` takes "bicubic" where none is named. */
export type ResizeFilter = "bilinear" | "bicubic" | "lanczos";

interface Kernel {
	/** Half the width, in pixels of the coarser grid. */
	readonly support: number;
	weight(x: number): number;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));
const bicubicA = -0.5;

const kernels: Readonly<Record<ResizeFilter, Kernel>> = {
	bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
	bicubic: {
		support: 2,
		weight(signed) {
			const x = Math.abs(signed);
			if (x < 1) return ((bicubicA + 2) * x - (bicubicA + 3)) * x * x + 1;
			if (x < 2) return (((x - 5) * x + 8) * x - 4) * bicubicA;
			return 0;
		},
	},
	lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

const precisionBits = 22;

/** For every output position: its first input position, and the whole-number weights from there on. */
interface Taps {
	readonly first: Int32Array;
	readonly count: Int32Array;
	/** [output, stride] */
	readonly weights: Int32Array;
	readonly stride: number;
}

function tapsOf(inputSize: number, outputSize: number, { support, weight }: Kernel): Taps {
	const scale = inputSize / outputSize;
	const filterScale = Math.max(scale, 1);
	const reach = support * filterScale;
	const stride = Math.ceil(reach) * 2 + 1;
	const first = new Int32Array(outputSize);
	const count = new Int32Array(outputSize);
	const weights = new Int32Array(outputSize * stride);
	const exact = new Float64Array(stride);
	for (let output = 0; output < outputSize; output++) {
		const centre = (output + 0.5) * scale;
		const start = Math.max(0, Math.trunc(centre - reach + 0.5));
		const end = Math.min(inputSize, Math.trunc(centre + reach + 0.5));
		let sum = 0;
		for (let i = 0; i < end - start; i++) {
			exact[i] = weight((i + start - centre + 0.5) * (1 / filterScale));
			sum += exact[i];
		}
		for (let i = 0; i < end - start; i++) {
			const normalized = sum === 0 ? exact[i] : exact[i] / sum;
			weights[output * stride + i] = Math.trunc(normalized * 2 ** precisionBits + (normalized < 0 ? -0.5 : 0.5));
		}
		first[output] = start;
		count[output] = end - start;
	}
	return { first, count, weights, stride };
}

/** One axis of a picture seen as [outer, size, inner] samples, to [outer, outputSize, inner]. */
function resizeAxis(data: Uint8Array, outer: number, size: number, inner: number, outputSize: number, kernel: Kernel): Uint8Array {
	const { first, count, weights, stride } = tapsOf(size, outputSize, kernel);
	const result = new Uint8ClampedArray(outer * outputSize * inner);
	for (let o = 0; o < outer; o++) {
		for (let position = 0; position < outputSize; position++) {
			const from = (o * size + first[position]) * inner;
			const to = (o * outputSize + position) * inner;
			const start = position * stride;
			const end = start + count[position];
			for (let i = 0; i < inner; i++) {
				// 32 bits suffice: weights add up to 2^22, lobes to less than 2^24 in size, samples are below 2^8.
				let sum = 1 << (precisionBits - 1);
				for (let at = from + i, tap = start; tap < end; tap++, at += inner) sum = (sum + Math.imul(data[at], weights[tap])) | 0;
				result[to + i] = sum >> precisionBits;
			}
		}
	}
	return new Uint8Array(result.buffer);
}

function premultiply(data: Uint8Array): Uint8Array {
	const result = new Uint8Array(data.length);
	for (let i = 0; i < data.length; i += 4) {
		const alpha = data[i + 3];
		for (let c = 0; c < 3; c++) {
			const product = data[i + c] * alpha + 128;
			result[i + c] = ((product >> 8) + product) >> 8;
		}
		result[i + 3] = alpha;
	}
	return result;
}

function unpremultiply(data: Uint8Array): Uint8Array {
	const result = data.slice();
	for (let i = 0; i < data.length; i += 4) {
		const alpha = data[i + 3];
		if (alpha === 0 || alpha === 255) continue;
		for (let c = 0; c < 3; c++) result[i + c] = Math.min(255, Math.trunc((255 * data[i + c]) / alpha));
	}
	return result;
}

/** PIL: `image.resize((width, height), filter)`, bit for bit. A picture of that size already is returned as it is. */
export function pillowResize(image: Image, width: number, height: number, filter: ResizeFilter = "bicubic"): Image {
	if (width < 1 || height < 1) {
		throw unusable(`is too narrow: it would be resized to ${width} x ${height} pixels`, "Give a picture of a whole person.");
	}
	if (width === image.width && height === image.height) return image;
	const { channels } = image;
	const kernel = kernels[filter];
	let data = channels === 4 ? premultiply(image.data) : image.data;
	if (width !== image.width) data = resizeAxis(data, image.height, image.width, channels, width, kernel);
	if (height !== image.height) data = resizeAxis(data, 1, image.height, width * channels, height, kernel);
	return { width, height, channels, data: channels === 4 ? unpremultiply(data) : data };
}

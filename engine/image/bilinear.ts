import type { FloatImage } from "./image.ts";

interface Taps {
	readonly low: Int32Array;
	readonly high: Int32Array;
	readonly lowWeight: Float32Array;
	readonly highWeight: Float32Array;
}

function tapsOf(inputSize: number, outputSize: number): Taps {
	// The ratio is a float32, positions are doubles.
	const scale = Math.fround(inputSize / outputSize);
	const low = new Int32Array(outputSize);
	const high = new Int32Array(outputSize);
	const lowWeight = new Float32Array(outputSize);
	const highWeight = new Float32Array(outputSize);
	for (let i = 0; i < outputSize; i++) {
		const position = Math.max(0, scale * (i + 0.5) - 0.5);
		low[i] = Math.min(Math.trunc(position), inputSize - 1);
		high[i] = Math.min(low[i] + 1, inputSize - 1);
		highWeight[i] = Math.min(position - low[i], 1);
		lowWeight[i] = 1 - highWeight[i];
	}
	return { low, high, lowWeight, highWeight };
}

/**
 * torch: `F.interpolate(mode="bilinear", align_corners=False)` in float32 on a CPU: two horizontal, then one vertical interpolation, the
 * first product of each fused into its sum. Equal bit for bit to torch 1.13 with AVX2.
 */
export function bilinearResize(image: FloatImage, width: number, height: number): FloatImage {
	const { channels, data } = image;
	const columns = tapsOf(image.width, width);
	const rows = tapsOf(image.height, height);
	const values = new Float32Array(width * height * channels);
	const length = width * channels;
	// The last two rows that were interpolated: what is low in one row of the result is mostly high in the one before.
	const kept = [-1, -1].map((row) => ({ row, values: new Float32Array(length) }));
	const horizontal = (row: number): Float32Array => {
		const found = kept.find((one) => one.row === row);
		if (found !== undefined) return found.values;
		const line = kept[0].row < kept[1].row ? kept[0] : kept[1];
		line.row = row;
		for (let x = 0, i = 0; x < width; x++) {
			const a = (row * image.width + columns.low[x]) * channels;
			const b = (row * image.width + columns.high[x]) * channels;
			for (let c = 0; c < channels; c++)
				line.values[i++] = data[a + c] * columns.lowWeight[x] + Math.fround(data[b + c] * columns.highWeight[x]);
		}
		return line.values;
	};
	for (let y = 0; y < height; y++) {
		const low = horizontal(rows.low[y]);
		const high = horizontal(rows.high[y]);
		const [lowWeight, highWeight] = [rows.lowWeight[y], rows.highWeight[y]];
		for (let i = 0; i < length; i++) values[y * length + i] = low[i] * lowWeight + Math.fround(high[i] * highWeight);
	}
	return { width, height, channels, data: values };
}

/** How an axis is resized; torch's F.interpolate and F.adaptive_avg_pool conventions. */
export type ResizeMethod =
	| "nearest"
	/** align_corners=False. */
	| "bilinear"
	/** ONNX's coordinate mode asymmetric: position * in / out. */
	| "bilinearAsymmetric"
	/** align_corners=True. */
	| "bilinearCorners"
	/** a = -0.75, borders repeated. */
	| "bicubic"
	/** a = -0.5, widened where it shrinks, weights at the borders cut off and renormalised (antialias=True). */
	| "bicubicAntialias"
	/** Mean over floor(i * in / out) .. ceil((i + 1) * in / out). */
	| "average";

/** For every output position the input positions it reads and their weights, both [extentOut, taps]. */
export interface ResampleTable {
	readonly taps: number;
	readonly indices: Uint32Array<ArrayBuffer>;
	readonly weights: Float32Array<ArrayBuffer>;
}

type Taps = readonly (readonly [index: number, weight: number])[];

/** Keys' cubic convolution kernel (1981, equation 15) with free parameter a. */
function cubic(distance: number, a: number): number {
	const d = Math.abs(distance);
	if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
	if (d < 2) return ((d - 5) * d + 8) * d * a - 4 * a;
	return 0;
}

function linearTaps(source: number, extentIn: number): Taps {
	const low = Math.min(Math.floor(source), extentIn - 1);
	const weight = source - low;
	return [
		[low, 1 - weight],
		[Math.min(low + 1, extentIn - 1), weight],
	];
}

function tapsOf(method: ResizeMethod, position: number, extentIn: number, extentOut: number): Taps {
	const scale = extentIn / extentOut;
	const centre = (position + 0.5) * scale;
	switch (method) {
		case "nearest":
			return [[Math.min(Math.floor(position * scale), extentIn - 1), 1]];
		case "bilinear":
			return linearTaps(Math.max(centre - 0.5, 0), extentIn);
		case "bilinearAsymmetric":
			return linearTaps(position * scale, extentIn);
		case "bilinearCorners":
			return linearTaps(extentOut === 1 ? 0 : (position * (extentIn - 1)) / (extentOut - 1), extentIn);
		case "bicubic": {
			const source = centre - 0.5;
			const low = Math.floor(source);
			return [-1, 0, 1, 2].map((step) => [Math.max(0, Math.min(extentIn - 1, low + step)), cubic(source - low - step, -0.75)] as const);
		}
		case "bicubicAntialias": {
			const stretch = Math.max(scale, 1);
			const first = Math.max(0, Math.trunc(centre - 2 * stretch + 0.5));
			const end = Math.min(extentIn, Math.trunc(centre + 2 * stretch + 0.5));
			const taps = Array.from({ length: end - first }, (_, i) => [first + i, cubic((first + i - centre + 0.5) / stretch, -0.5)] as const);
			const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
			return taps.map(([index, weight]) => [index, weight / total] as const);
		}
		case "average": {
			const first = Math.floor((position * extentIn) / extentOut);
			const end = Math.ceil(((position + 1) * extentIn) / extentOut);
			return Array.from({ length: end - first }, (_, i) => [first + i, 1 / (end - first)] as const);
		}
	}
}

/** The table of one axis, in f64 rounded once. Shorter rows are filled up with weight 0. */
export function resampleTable(method: ResizeMethod, extentIn: number, extentOut: number): ResampleTable {
	const rows = Array.from({ length: extentOut }, (_, position) => tapsOf(method, position, extentIn, extentOut));
	const taps = rows.reduce((most, row) => Math.max(most, row.length), 1);
	const indices = new Uint32Array(extentOut * taps);
	const weights = new Float32Array(extentOut * taps);
	rows.forEach((row, position) => {
		row.forEach(([index, weight], tap) => {
			indices[position * taps + tap] = index;
			weights[position * taps + tap] = weight;
		});
	});
	return { taps, indices, weights };
}

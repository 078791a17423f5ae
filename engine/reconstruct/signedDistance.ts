/**
 * Signed distance of every pixel's centre to the border of a mask [height, width] (1 inside), in pixels, negative inside; the border runs
 * midway between the centres of pixels in and out, so that the sign is the mask. Beyond the picture counts as outside. A mask without a pixel
 * inside is +Infinity everywhere. Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, 2012.
 */
export function signedDistance(mask: Uint8Array, width: number, height: number): Float32Array {
	// One pixel of margin stands for everything outside.
	const [w, h] = [width + 2, height + 2];
	const inside = new Uint8Array(w * h);
	for (let row = 0; row < height; row++) inside.set(mask.subarray(row * width, (row + 1) * width), (row + 1) * w + 1);
	const toInside = squaredDistances(inside, w, h, 1);
	const toOutside = squaredDistances(inside, w, h, 0);
	const distance = new Float32Array(width * height);
	for (let row = 0; row < height; row++) {
		for (let column = 0; column < width; column++) {
			const at = (row + 1) * w + column + 1;
			distance[row * width + column] = inside[at] === 1 ? 0.5 - Math.sqrt(toOutside[at]) : Math.sqrt(toInside[at]) - 0.5;
		}
	}
	return distance;
}

/** Squared distance of every pixel to the nearest one whose value is `wanted`. */
function squaredDistances(values: Uint8Array, width: number, height: number, wanted: number): Float64Array {
	const result = Float64Array.from(values, (value) => (value === wanted ? 0 : Number.POSITIVE_INFINITY));
	const longest = Math.max(width, height);
	const line = new Float64Array(longest);
	const places = new Int32Array(longest);
	const limits = new Float64Array(longest + 1);
	for (let column = 0; column < width; column++) lowerEnvelope(result, column, width, height, { line, places, limits });
	for (let row = 0; row < height; row++) lowerEnvelope(result, row * width, 1, width, { line, places, limits });
	return result;
}

interface Scratch {
	readonly line: Float64Array;
	readonly places: Int32Array;
	readonly limits: Float64Array;
}

/** One dimension of the transform, in place: the lower envelope of a parabola over every finite value. */
function lowerEnvelope(values: Float64Array, first: number, step: number, count: number, { line, places, limits }: Scratch): void {
	let last = -1;
	for (let q = 0; q < count; q++) {
		const value = values[first + q * step];
		line[q] = value;
		if (value === Number.POSITIVE_INFINITY) continue;
		let from = Number.NEGATIVE_INFINITY;
		while (last >= 0) {
			const p = places[last];
			from = (value + q * q - line[p] - p * p) / (2 * (q - p));
			if (from > limits[last]) break;
			last--;
			from = Number.NEGATIVE_INFINITY;
		}
		places[++last] = q;
		limits[last] = from;
	}
	if (last < 0) return;
	let k = 0;
	for (let q = 0; q < count; q++) {
		while (k < last && limits[k + 1] <= q) k++;
		values[first + q * step] = (q - places[k]) ** 2 + line[places[k]];
	}
}

import { roundHalfToEven } from "../roundHalfToEven.ts";
import type { TeleaFront } from "./teleaFront.ts";

// The colours of Telea's inpainting (see teleaFront.ts): what a pixel takes from each known one around it depends on the front alone, and is
// worked out first; then every channel is filled by itself.

/** What some of a front's pixels take from those around them. */
export interface TeleaWeights {
	/** The pixels are `order[first]` to `order[first + counts.length - 1]`. */
	readonly first: number;
	/** [n] known pixels around each. */
	readonly counts: Uint8Array;
	/** [n] sums of their weights. */
	readonly totals: Float32Array;
	/** [sum of counts] weights, pixel by pixel. */
	readonly weights: Float32Array;
	/** [sum of counts] where the known pixel lies and which differences it has: see `neighbourTable`. */
	readonly codes: Uint16Array;
}

const { fround, abs, sqrt } = Math;

// Bits of a code: which of its neighbours are known, whether it lies at the picture's border, and above them its place around the centre.
const [left, right, above, below, atLeft, atRight, atTop, atBottom] = [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => 1 << bit);
const placeBits = 8;

/** The weights of `order[first]` up to `order[end - 1]`. */
export function teleaWeights({ width, height, radius, order, rank, time }: TeleaFront, first: number, end: number): TeleaWeights {
	const [rows, columns] = [height + 2, width + 2];
	const distanceWeights = distanceTable(radius);
	const side = 2 * radius + 1;
	const counts = new Uint8Array(end - first);
	const totals = new Float32Array(end - first);
	const weights = new Float32Array((end - first) * side * side);
	const codes = new Uint16Array((end - first) * side * side);
	let used = 0;
	for (let n = first; n < end; n++) {
		const center = order[n];
		const own = rank[center]; // known by now is what has a smaller one
		const i = Math.floor(center / columns);
		const j = center - i * columns;
		const slopeX = slope(time, rank, center, 1, own);
		const slopeY = slope(time, rank, center, columns, own);
		const before = used;
		let total = fround(1e-20);
		for (let k = Math.max(1, i - radius); k <= Math.min(rows - 2, i + radius); k++) {
			for (let l = Math.max(1, j - radius); l <= Math.min(columns - 2, j + radius); l++) {
				const p = k * columns + l;
				const y = i - k;
				const x = j - l;
				if (rank[p] >= own || x * x + y * y > radius * radius) continue;
				const level = fround(1 / (1 + abs(fround(time[p] - time[center]))));
				let direction = fround(fround(x * slopeX) + fround(y * slopeY));
				if (abs(direction) <= 0.01) direction = fround(1e-6);
				const place = (y + radius) * side + x + radius;
				const weight = abs(fround(fround(distanceWeights[place] * level) * direction));
				weights[used] = weight;
				codes[used++] =
					(place << placeBits) |
					(rank[p - 1] < own ? left : 0) |
					(rank[p + 1] < own ? right : 0) |
					(rank[p - columns] < own ? above : 0) |
					(rank[p + columns] < own ? below : 0) |
					(l === 1 ? atLeft : 0) |
					(l === columns - 2 ? atRight : 0) |
					(k === 1 ? atTop : 0) |
					(k === rows - 2 ? atBottom : 0);
				total = fround(total + weight);
			}
		}
		counts[n - first] = used - before;
		totals[n - first] = total;
	}
	return { first, counts, totals, weights: weights.slice(0, used), codes: codes.slice(0, used) };
}

/** Central difference of arrival times along one axis, one-sided where a neighbour is unknown. */
function slope(time: Float32Array, rank: Uint32Array, p: number, step: number, own: number): number {
	const hasBefore = rank[p - step] < own;
	if (rank[p + step] < own) return hasBefore ? fround(fround(time[p + step] - time[p - step]) * 0.5) : fround(time[p + step] - time[p]);
	return hasBefore ? fround(time[p] - time[p - step]) : 0;
}

/** Pixels whose weights are worked out at a time. */
const pixelsAtOnce = 1 << 16;

/** Ranges of a front's order whose weights are worked out at a time. */
export function teleaRanges({ order }: TeleaFront): { readonly first: number; readonly end: number }[] {
	return Array.from({ length: Math.ceil(order.length / pixelsAtOnce) }, (_, i) => ({
		first: i * pixelsAtOnce,
		end: Math.min(order.length, (i + 1) * pixelsAtOnce),
	}));
}

/** Fills channels [height, width] in place; `weights` those of the whole order, from its first pixel to its last. */
export function teleaFill(front: TeleaFront, weights: Iterable<TeleaWeights>, planes: readonly Uint8Array[]): void {
	const table = neighbourTable(front.width, front.radius);
	for (const some of weights) for (const plane of planes) fillSome(front, some, table, plane);
}

function fillSome({ width, order }: TeleaFront, some: TeleaWeights, table: Int32Array, plane: Uint8Array): void {
	const { first, counts, totals, weights, codes } = some;
	const columns = width + 2;
	let at = 0;
	for (let n = 0; n < counts.length; n++) {
		const center = order[first + n];
		const i = Math.floor(center / columns);
		const target = (i - 1) * width + (center - i * columns) - 1;
		let sum = 0;
		let alongX = 0;
		let alongY = 0;
		for (const end = at + counts[n]; at < end; at++) {
			const entry = codes[at] * entryLength;
			const weight = weights[at];
			const acrossX = (plane[target + table[entry + 1]] - plane[target + table[entry + 2]]) * table[entry + 5];
			const acrossY = (plane[target + table[entry + 3]] - plane[target + table[entry + 4]]) * table[entry + 6];
			sum = fround(sum + fround(weight * plane[target + table[entry]]));
			alongX = fround(alongX - fround(weight * acrossX));
			alongY = fround(alongY - fround(weight * acrossY));
		}
		const length = sqrt(fround(fround(alongX * alongX) + fround(alongY * alongY)));
		const value = fround(fround(sum / totals[n]) + fround(alongX + alongY) / (length + 1e-20) + 0.5);
		plane[target] = Math.min(Math.max(roundHalfToEven(value), 0), 255);
	}
}

/** Values of an entry, the last one unused. */
const entryLength = 8;

/**
 * For every code, relative to the pixel that is filled: where the value stands, the ends of its differences along x and along y, and what they
 * are multiplied by. Next to the picture's border OpenCV's indices lag one pixel.
 */
function neighbourTable(width: number, radius: number): Int32Array {
	const side = 2 * radius + 1;
	const table = new Int32Array((side * side) << (placeBits + Math.log2(entryLength)));
	for (let code = 0; code < table.length / entryLength; code++) {
		const has = (bit: number) => ((code & bit) !== 0 ? 1 : 0);
		const place = code >> placeBits;
		const y = Math.floor(place / side) - radius;
		const x = (place % side) - radius;
		const row = (has(atTop) - y) * width;
		const rowAfter = (-y - has(atBottom)) * width;
		const column = has(atLeft) - x;
		const columnAfter = -x - has(atRight);
		const entry = code * entryLength;
		table[entry] = row + column;
		table[entry + 1] = row + columnAfter + has(right);
		table[entry + 2] = row + column - has(left);
		table[entry + 3] = rowAfter + has(below) * width + column;
		table[entry + 4] = row - has(above) * width + column;
		table[entry + 5] = (has(left) + has(right)) * x;
		table[entry + 6] = (has(above) + has(below)) * y;
	}
	return table;
}

/** [2 r + 1, 2 r + 1] 1 / distance^3. */
function distanceTable(radius: number): Float32Array {
	const side = 2 * radius + 1;
	return Float32Array.from({ length: side * side }, (_, index) => {
		const [y, x] = [Math.floor(index / side) - radius, (index % side) - radius];
		const squared = x * x + y * y;
		return 1 / (squared * sqrt(squared));
	});
}

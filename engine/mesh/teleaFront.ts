import { arrivalHeap } from "./arrivalHeap.ts";

// The front of Telea's inpainting, by fast marching: which pixels it reaches, when and in which order. It depends on the mask alone.
// "An image inpainting technique based on the fast marching method", 2004, with the constants and the order of operations of OpenCV's
// INPAINT_TELEA (float32), bit for bit. Grids have a border of one pixel.

/** Where the front goes. */
export interface TeleaFront {
	readonly width: number;
	readonly height: number;
	readonly radius: number;
	/** [n] places in the bordered grid of the pixels that are filled, in their order. */
	readonly order: Uint32Array;
	/** [height + 2, width + 2] 0 what was known, then the place in `order` counted from 1; `unreached` where the front never comes. */
	readonly rank: Uint32Array;
	/** [height + 2, width + 2] arrival times, negative on the known side. */
	readonly time: Float32Array;
}

/** Rank of pixels that no front reaches. */
const unreached = 0xffffffff;

/** States of a pixel: its value stands, the front passes over it, nothing is known of it. */
const [known, band, inside] = [0, 1, 2];

/** Arrival times of the front on the bordered grid. */
interface Front {
	readonly rows: number;
	readonly columns: number;
	/** [rows, columns] known, band or inside. */
	readonly state: Uint8Array;
	/** [rows, columns] arrival times. */
	readonly time: Float32Array;
}

const { fround, abs, sqrt } = Math;

/** The front that comes over the pixels where `mask` [height, width] is not 0, from the others. Throws RangeError for a mask of another size. */
export function teleaFront(mask: Uint8Array, width: number, height: number, radius: number): TeleaFront {
	const front = frontInside(mask, width, height, radius);
	addOutside(front, timesOutside(mask, width, height, radius));
	return front;
}

/** Arrival times on the known side. */
export interface OutsideTimes {
	/** [n] places in the bordered grid. */
	readonly pixels: Uint32Array;
	/** [n] 0 or negative. */
	readonly times: Float32Array;
}

/** Puts the times of the known side into a front that has none. */
export function addOutside({ time }: TeleaFront, { pixels, times }: OutsideTimes): void {
	for (let i = 0; i < pixels.length; i++) time[pixels[i]] = times[i];
}

/** `teleaFront` without the times of the known side, which the march does not need. */
export function frontInside(mask: Uint8Array, width: number, height: number, radius: number): TeleaFront {
	const { rows, columns, state, time, border } = startOf(mask, width, height);
	for (const pixel of border) state[pixel] = band;
	const rank = new Uint32Array(state.length);
	for (let p = 0; p < rank.length; p++) if (state[p] === inside) rank[p] = unreached;
	const order = march({ rows, columns, state, time }, border);
	for (let i = 0; i < order.length; i++) rank[order[i]] = i + 1;
	return { width, height, radius, order, rank, time };
}

/** The times of the known pixels within `radius` of an unknown one. */
export function timesOutside(mask: Uint8Array, width: number, height: number, radius: number): OutsideTimes {
	const { rows, columns, state, time, border } = startOf(mask, width, height);
	const pixels = measureOutside({ rows, columns, state: ringAround(state, rows, columns, radius), time }, border);
	return { pixels, times: Float32Array.from(pixels, (pixel) => time[pixel]) };
}

/** The grid before the front moves, and the known pixels from which it comes. */
function startOf(mask: Uint8Array, width: number, height: number): Front & { readonly border: Uint32Array } {
	if (mask.length !== width * height) throw new RangeError(`teleaFront: mask must be [${height}, ${width}]`);
	const [rows, columns] = [height + 2, width + 2];
	const state = new Uint8Array(rows * columns);
	for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (mask[y * width + x] !== 0) state[(y + 1) * columns + x + 1] = inside;
	const border = bandPixels(state, rows, columns);
	const time = new Float32Array(rows * columns).fill(1e6);
	for (const pixel of border) time[pixel] = 0;
	return { rows, columns, state, time, border };
}

/** Known pixels beside an unknown one, off the border, in reading order. */
function bandPixels(state: Uint8Array, rows: number, columns: number): Uint32Array {
	const found: number[] = [];
	for (let i = 1; i < rows - 1; i++) {
		for (let j = 1; j < columns - 1; j++) {
			const p = i * columns + j;
			if (state[p] === inside) continue;
			if (state[p - 1] === inside || state[p + 1] === inside || state[p - columns] === inside || state[p + columns] === inside)
				found.push(p);
		}
	}
	return Uint32Array.from(found);
}

/** The known pixels within `radius` of an unknown one, along rows and along columns, as inside; everything else known. */
function ringAround(state: Uint8Array, rows: number, columns: number, radius: number): Uint8Array {
	const wide = new Uint8Array(state.length);
	const ring = new Uint8Array(state.length);
	for (let i = 0; i < rows; i++) {
		for (let j = 0; j < columns; j++) {
			if (state[i * columns + j] !== inside) continue;
			wide.fill(inside, i * columns + Math.max(0, j - radius), i * columns + Math.min(columns - 1, j + radius) + 1);
		}
	}
	for (let i = 1; i < rows - 1; i++) {
		for (let j = 1; j < columns - 1; j++) {
			const p = i * columns + j;
			if (state[p] === inside) continue;
			for (let k = Math.max(0, i - radius); k <= Math.min(rows - 1, i + radius); k++) {
				if (wide[k * columns + j] !== inside) continue;
				ring[p] = inside;
				break;
			}
		}
	}
	return ring;
}

/** Distances from the band into the known pixels, negative. Writes into `front.time`, and gives the pixels it came to. */
function measureOutside({ columns, state, time }: Front, border: Uint32Array): Uint32Array {
	const heap = arrivalHeap();
	for (const pixel of border) {
		heap.push(pixel, 0);
		state[pixel] = known;
	}
	const passed: number[] = [];
	const neighbours = [-columns, -1, columns, 1];
	for (let pixel = heap.pop(); pixel >= 0; pixel = heap.pop()) {
		passed.push(pixel);
		state[pixel] = known;
		for (const step of neighbours) {
			const next = pixel + step; // the border is never inside
			if (state[next] !== inside) continue;
			time[next] = arrival(state, time, next, columns);
			state[next] = band;
			heap.push(next, time[next]);
		}
	}
	for (const pixel of passed) time[pixel] = -time[pixel];
	return Uint32Array.from(passed);
}

/** The time at which the front comes to a pixel from its four neighbours: the least of four solutions of the eikonal equation. */
function arrival(state: Uint8Array, time: Float32Array, pixel: number, columns: number): number {
	const up = pixel - columns;
	const down = pixel + columns;
	const left = pixel - 1;
	const right = pixel + 1;
	return Math.min(
		solve(state, time, up, left),
		solve(state, time, down, left),
		solve(state, time, up, right),
		solve(state, time, down, right),
	);
}

function solve(state: Uint8Array, time: Float32Array, a: number, b: number): number {
	const first = time[a];
	const second = time[b];
	if (state[a] === inside) return fround(1 + (state[b] === inside ? Math.min(first, second) : second));
	if (state[b] === inside) return fround(1 + first);
	const difference = first - second;
	if (abs(difference) >= 1) return fround(1 + Math.min(first, second));
	return fround((first + second + sqrt(2 - difference * difference)) * 0.5);
}

/** Lets the front pass over everything it reaches, and gives the pixels in the order in which it comes to them. */
function march({ columns, state, time }: Front, border: Uint32Array): Uint32Array {
	const heap = arrivalHeap();
	for (const pixel of border) heap.push(pixel, 0);
	const order = new Uint32Array(state.length);
	let count = 0;
	const neighbours = [-columns, -1, columns, 1];
	for (let pixel = heap.pop(); pixel >= 0; pixel = heap.pop()) {
		state[pixel] = known;
		for (const step of neighbours) {
			const next = pixel + step; // the border is never inside
			if (state[next] !== inside) continue;
			time[next] = arrival(state, time, next, columns);
			state[next] = band;
			order[count++] = next;
			heap.push(next, time[next]);
		}
	}
	return order.slice(0, count);
}

import { roundHalfToEven } from "../roundHalfToEven.ts";
import { arrivalHeap } from "./arrivalHeap.ts";

// Inpainting by fast marching: Telea, "An image inpainting technique based on the fast marching method", 2004, with the constants and
// the order of operations of OpenCV's INPAINT_TELEA (float32), bit for bit; its indices lag one pixel next to the picture's border.

/** States of a pixel: its value stands, the front passes over it, nothing is known of it. */
const [known, band, inside] = [0, 1, 2];

/** Arrival times of the front on a grid with a border of one pixel. */
interface Front {
	readonly rows: number;
	readonly columns: number;
	/** [rows, columns] known, band or inside. */
	readonly state: Uint8Array;
	/** [rows, columns] arrival times. */
	readonly time: Float32Array;
}

const { fround, abs, sqrt } = Math;

/**
 * Fills the pixels where `mask` is not 0 from the others, nearest first. cv2: `inpaint(image, mask, radius, INPAINT_TELEA)`, equal bit for
 * bit. `image` [height, width, 3], `mask` [height, width]; gives a new image. A picture without known pixels stays as it is.
 */
export function teleaInpaint(image: Uint8Array, mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
	if (image.length !== width * height * 3 || mask.length !== width * height) {
		throw new RangeError(`teleaInpaint: image must be [${height}, ${width}, 3] and mask [${height}, ${width}]`);
	}
	const [rows, columns] = [height + 2, width + 2];
	const state = new Uint8Array(rows * columns);
	for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (mask[y * width + x] !== 0) state[(y + 1) * columns + x + 1] = inside;
	const border = bandPixels(state, rows, columns);
	const time = new Float32Array(rows * columns).fill(1e6);
	for (const pixel of border) time[pixel] = 0;
	measureOutside({ rows, columns, state: ringAround(state, rows, columns, radius), time }, border);
	for (const pixel of border) state[pixel] = band;
	const result = image.slice();
	fillInside({ rows, columns, state, time }, border, radius, result);
	return result;
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

/** Distances from the band into the known pixels, negative. Writes into `front.time`. */
function measureOutside({ columns, state, time }: Front, border: Uint32Array): void {
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

function fillInside(front: Front, border: Uint32Array, radius: number, result: Uint8Array): void {
	const { columns, state, time } = front;
	const heap = arrivalHeap();
	for (const pixel of border) heap.push(pixel, 0);
	const estimate = estimator(front, radius, result);
	const neighbours = [-columns, -1, columns, 1];
	for (let pixel = heap.pop(); pixel >= 0; pixel = heap.pop()) {
		state[pixel] = known;
		for (const step of neighbours) {
			const next = pixel + step; // the border is never inside
			if (state[next] !== inside) continue;
			time[next] = arrival(state, time, next, columns);
			const row = Math.floor(next / columns);
			estimate(row, next - row * columns);
			state[next] = band;
			heap.push(next, time[next]);
		}
	}
}

/** Gives the function that writes the colour of pixel (i, j) of the bordered grid into `result`. */
function estimator({ rows, columns, state, time }: Front, radius: number, result: Uint8Array): (i: number, j: number) => void {
	const width = columns - 2;
	const distanceWeights = distanceTable(radius);
	const side = 2 * radius + 1;
	// The known pixels around one: weight, offset, its value in `result`, and the ends of its two differences with their factors.
	const weights = new Float32Array(side * side);
	const offsetsX = new Int32Array(side * side);
	const offsetsY = new Int32Array(side * side);
	const values = new Uint32Array(side * side);
	const ends = new Uint32Array(side * side * 4);
	const factors = new Uint8Array(side * side * 2);
	/** Central difference of arrival times along one axis, one-sided where a neighbour is unknown. */
	const slope = (p: number, step: number) => {
		const hasBefore = state[p - step] !== inside;
		if (state[p + step] !== inside)
			return hasBefore ? fround(fround(time[p + step] - time[p - step]) * 0.5) : fround(time[p + step] - time[p]);
		return hasBefore ? fround(time[p] - time[p - step]) : 0;
	};
	return (i, j) => {
		const center = i * columns + j;
		const slopeX = slope(center, 1);
		const slopeY = slope(center, columns);
		let count = 0;
		let total = fround(1e-20);
		for (let k = Math.max(1, i - radius); k <= Math.min(rows - 2, i + radius); k++) {
			const row = (k - 1 + (k === 1 ? 1 : 0)) * width;
			const rowAfter = (k - 1 - (k === rows - 2 ? 1 : 0)) * width;
			for (let l = Math.max(1, j - radius); l <= Math.min(columns - 2, j + radius); l++) {
				const p = k * columns + l;
				const y = i - k;
				const x = j - l;
				if (state[p] === inside || x * x + y * y > radius * radius) continue;
				const level = fround(1 / (1 + abs(fround(time[p] - time[center]))));
				let direction = fround(fround(x * slopeX) + fround(y * slopeY));
				if (abs(direction) <= 0.01) direction = fround(1e-6);
				const weight = abs(fround(fround(distanceWeights[(y + radius) * side + x + radius] * level) * direction));
				const column = l - 1 + (l === 1 ? 1 : 0);
				const columnAfter = l - 1 - (l === columns - 2 ? 1 : 0);
				const hasLeft = state[p - 1] !== inside;
				const hasRight = state[p + 1] !== inside;
				const hasAbove = state[p - columns] !== inside;
				const hasBelow = state[p + columns] !== inside;
				weights[count] = weight;
				offsetsX[count] = x;
				offsetsY[count] = y;
				values[count] = (row + column) * 3;
				ends[count * 4] = (row + (hasRight ? columnAfter + 1 : columnAfter)) * 3;
				ends[count * 4 + 1] = (row + (hasLeft ? column - 1 : column)) * 3;
				ends[count * 4 + 2] = ((hasBelow ? rowAfter + width : rowAfter) + column) * 3;
				ends[count * 4 + 3] = ((hasAbove ? row - width : row) + column) * 3;
				factors[count * 2] = (hasLeft ? 1 : 0) + (hasRight ? 1 : 0);
				factors[count * 2 + 1] = (hasAbove ? 1 : 0) + (hasBelow ? 1 : 0);
				total = fround(total + weight);
				count++;
			}
		}
		const target = ((i - 1) * width + j - 1) * 3;
		for (let c = 0; c < 3; c++) {
			let sum = 0;
			let alongX = 0;
			let alongY = 0;
			for (let n = 0; n < count; n++) {
				const gradientX = (result[ends[n * 4] + c] - result[ends[n * 4 + 1] + c]) * factors[n * 2];
				const gradientY = (result[ends[n * 4 + 2] + c] - result[ends[n * 4 + 3] + c]) * factors[n * 2 + 1];
				sum = fround(sum + fround(weights[n] * result[values[n] + c]));
				alongX = fround(alongX - fround(weights[n] * (gradientX * offsetsX[n])));
				alongY = fround(alongY - fround(weights[n] * (gradientY * offsetsY[n])));
			}
			const length = sqrt(fround(fround(alongX * alongX) + fround(alongY * alongY)));
			const value = fround(fround(sum / total) + fround(alongX + alongY) / (length + 1e-20) + 0.5);
			result[target + c] = Math.min(Math.max(roundHalfToEven(value), 0), 255);
		}
	};
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

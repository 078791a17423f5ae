import { crossDepths } from "./crossDepths.ts";
import { type DepthLevel, distanceLevel, type NormalView, normalLevel } from "./depthLevel.ts";
import { type Depths, integrateDepths, type RowExtents, rowExtents } from "./integrateDepths.ts";

/** Views front, right, back, left: square normal maps of one size. */
export type FourViews = readonly [NormalView, NormalView, NormalView, NormalView];

/** What opposite views show: front and back along y, left and right along x. */
export interface PairDepths extends Depths {
	readonly level: DepthLevel;
}

/** Pixels per side of the first level at most twice, weightings of a level, and how often the pairs take turns on it. */
const [coarsestSide, roundsOfLevel, passesOfLevel] = [96, 20, 2];

/** Depths of both pairs at `side` pixels, from coarse to fine. `distances`: signed distances of front and back, left and right, full size. */
export function bodyDepths(
	views: FourViews,
	distances: readonly [Float32Array, Float32Array],
	side: number,
): { readonly frontBack: PairDepths; readonly leftRight: PairDepths } {
	const [front, right, back, left] = views;
	const { size } = front;
	const sides = [side];
	while (sides[0] >= coarsestSide * 2) sides.unshift(Math.round(sides[0] / 2));
	let found: readonly [PairDepths, PairDepths] | undefined;
	for (const fine of sides) {
		const levels = [
			{ near: front, far: back, axis: 1, distance: distances[0] },
			{ near: left, far: right, axis: 0, distance: distances[1] },
		].map(({ near, far, axis, distance }) => ({
			side: fine,
			distance: distanceLevel(distance, size, fine),
			near: normalLevel(near, axis as 0 | 1, -1, fine),
			far: normalLevel(far, axis as 0 | 1, 1, fine),
		}));
		const extents = levels.map((level) => rowExtents(level.distance, fine));
		const [fb, rl] = levels;
		const solve = (pair: 0 | 1, start: Depths, cross: Depths | undefined): PairDepths => ({
			level: levels[pair],
			...integrateDepths({ level: levels[pair], extents: extents[1 - pair], start, cross, rounds: roundsOfLevel }),
		});
		let frontBack: PairDepths;
		let leftRight: PairDepths;
		if (found === undefined) {
			frontBack = solve(0, midDepths(fb, extents[1]), undefined);
			const cross = crossDepths(fb, frontBack);
			leftRight = solve(1, filled(cross, rl, extents[0]), cross);
		} else {
			frontBack = { level: fb, ...refined(found[0], fb) };
			leftRight = { level: rl, ...refined(found[1], rl) };
		}
		for (let pass = 0; pass < passesOfLevel; pass++) {
			frontBack = solve(0, frontBack, crossDepths(rl, leftRight));
			leftRight = solve(1, leftRight, crossDepths(fb, frontBack));
		}
		found = [frontBack, leftRight];
	}
	if (found === undefined) throw new Error("bodyDepths: no level");
	return { frontBack: found[0], leftRight: found[1] };
}

function filled(cross: Depths, level: DepthLevel, extents: RowExtents): Depths {
	const middle = midDepths(level, extents);
	const fill = (values: Float32Array, otherwise: Float32Array) => values.map((value, i) => (Number.isNaN(value) ? otherwise[i] : value));
	return { near: fill(cross.near, middle.near), far: fill(cross.far, middle.far) };
}

/** The middle of the other pair's silhouette, row by row. */
function midDepths({ side }: DepthLevel, { first, last }: RowExtents): Depths {
	const middle = Float32Array.from({ length: side * side }, (_, pixel) => {
		const row = Math.floor(pixel / side);
		return Number.isNaN(first[row]) ? (side - 1) / 2 : (first[row] + last[row]) / 2;
	});
	return { near: middle, far: middle };
}

/** Depths of a coarser level at this one's pixels; where the coarser one has none, its nearest. */
function refined({ level: coarse, near, far }: PairDepths, { side }: DepthLevel): Depths {
	const scale = coarse.side / side;
	const fill = (depths: Float32Array) => {
		const whole = extended(depths, coarse.side, 4);
		return Float32Array.from({ length: side * side }, (_, pixel) => {
			const x = Math.min(Math.max(((pixel % side) + 0.5) * scale - 0.5, 0), coarse.side - 1);
			const y = Math.min(Math.max((Math.floor(pixel / side) + 0.5) * scale - 0.5, 0), coarse.side - 1);
			const [left, top] = [Math.floor(x), Math.floor(y)];
			const [right, bottom] = [Math.min(left + 1, coarse.side - 1), Math.min(top + 1, coarse.side - 1)];
			const at = (row: number, column: number) => whole[row * coarse.side + column];
			const value =
				(at(top, left) * (left + 1 - x) + at(top, right) * (x - left)) * (top + 1 - y) +
				(at(bottom, left) * (left + 1 - x) + at(bottom, right) * (x - left)) * (y - top);
			return (value + 0.5) / scale - 0.5;
		});
	};
	return { near: fill(near), far: fill(far) };
}

/** A map whose NaNs take the mean of their neighbours with values, `rings` times over; the rest 0.5 * side. */
export function extended(values: Float32Array, side: number, rings: number): Float32Array {
	const result = values.slice();
	for (let ring = 0; ring < rings; ring++) {
		const before = result.slice();
		for (let pixel = 0; pixel < before.length; pixel++) {
			if (!Number.isNaN(before[pixel])) continue;
			let [sum, count] = [0, 0];
			const [row, column] = [Math.floor(pixel / side), pixel % side];
			for (let dy = -1; dy <= 1; dy++) {
				for (let dx = -1; dx <= 1; dx++) {
					const [y, x] = [row + dy, column + dx];
					if (y < 0 || x < 0 || y >= side || x >= side || Number.isNaN(before[y * side + x])) continue;
					sum += before[y * side + x];
					count++;
				}
			}
			if (count > 0) result[pixel] = sum / count;
		}
	}
	for (let i = 0; i < result.length; i++) if (Number.isNaN(result[i])) result[i] = side / 2;
	return result;
}

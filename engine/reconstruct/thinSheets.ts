import { sampleMap } from "./sampleMap.ts";

// Views that a network drew show things that the views from the side know nothing of, a shadow on the floor taken for a body, say. No body
// agrees with all of them. What is left of such a part is a thin sheet: the views that show it keep it, the others see its edge alone.

/** Where a field got sheets: for the pair front and back by x and z, for left and right by y and z. */
export interface ThinSheets {
	/** [2][side, side] 1 where a sheet stands, at across * side + z. */
	readonly columns: readonly [Uint8Array, Uint8Array];
	/** Vertices of the grid along an axis. */
	readonly side: number;
}

/** Half a sheet's thickness, and how deep in the silhouette a gap must reach to be more than a rim, in cubes. */
const [halfThickness, leastDepth] = [0.75, 2];

/**
 * Adds to a field f32 [side, side, side] (x, y, z; negative inside; changed in place) a sheet for each part of a silhouette behind which it is
 * nowhere negative: across the view, as far away as the body beside it. `distances`: [size, size] of both silhouettes, pixels.
 */
export function addThinSheets(
	field: Float32Array,
	side: number,
	distances: readonly [Float32Array, Float32Array],
	size: number,
): ThinSheets {
	const columns = [0, 1].map((pair) => addSheets(field, side, pair as 0 | 1, distances, size)) as [Uint8Array, Uint8Array];
	return { columns, side };
}

function addSheets(
	field: Float32Array,
	side: number,
	pair: 0 | 1,
	distances: readonly [Float32Array, Float32Array],
	size: number,
): Uint8Array {
	const [acrossStride, depthStride] = pair === 0 ? [side * side, side] : [side, side * side];
	const cube = 1 / (side - 1);
	// In the world's units.
	const outside = (which: 0 | 1, across: number, z: number) =>
		sampleMap(distances[which], size, across * cube * size - 0.5, (1 - z * cube) * size - 0.5) / size;
	// 0 not in the silhouette, 1 behind it is a body, 2 a gap.
	const state = new Uint8Array(side * side);
	const middle = new Float32Array(side * side);
	for (let across = 0; across < side; across++) {
		for (let z = 0; z < side; z++) {
			let [sum, count] = [0, 0];
			for (let depth = 0; depth < side; depth++) {
				if (field[across * acrossStride + depth * depthStride + z] >= 0) continue;
				sum += depth;
				count++;
			}
			const column = across * side + z;
			middle[column] = sum / Math.max(1, count);
			if (count > 0) state[column] = 1;
			else if (outside(pair, across, z) < 0) state[column] = 2;
		}
	}
	const sheets = new Uint8Array(side * side);
	for (let first = 0; first < state.length; first++) {
		if (state[first] !== 2) continue;
		const gap = [first];
		state[first] = 3;
		let [sum, count, deepest] = [0, 0, 0];
		for (let i = 0; i < gap.length; i++) {
			deepest = Math.max(deepest, -outside(pair, Math.floor(gap[i] / side), gap[i] % side));
			for (const next of [gap[i] - side, gap[i] + side, gap[i] - 1, gap[i] + 1]) {
				if (state[next] === 1) {
					sum += middle[next];
					count++;
				} else if (state[next] === 2) {
					state[next] = 3;
					gap.push(next);
				}
			}
		}
		if (count === 0 || deepest < leastDepth * cube) continue;
		const plane = Math.round(sum / count);
		for (const column of gap) {
			sheets[column] = 1;
			// One column further, so that the sheet ends where the silhouette does and holds on to the body.
			for (const near of [column, column - side, column + side, column - 1, column + 1]) {
				const [across, z] = [Math.floor(near / side), near % side];
				for (let depth = Math.max(0, plane - 2); depth <= Math.min(side - 1, plane + 2); depth++) {
					const vertex = across * acrossStride + depth * depthStride + z;
					const value = Math.max(
						outside(pair, across, z),
						outside(pair === 0 ? 1 : 0, depth, z),
						(Math.abs(depth - plane) - halfThickness) * cube,
					);
					field[vertex] = Math.min(field[vertex], value);
				}
			}
		}
	}
	return sheets;
}

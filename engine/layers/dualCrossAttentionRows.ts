import type { Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { domains } from "./multiviewLayout.ts";

// Which pixels and voxels see each other: the sides look along the axes of the volume, rows from top to bottom are z from the last
// voxel to the first. Front and back look along y, right and left along x; the back view is not mirrored (as upstream).

const [front, right, back, left] = [0, 1, 2, 3];
const sides = 4;

/**
 * For every voxel the four pixels it is seen in, as rows of [sides, resolution, resolution] of one half: i32 [resolution^3, 4], voxels in
 * (x, y, z) order.
 */
export function imageColumns(graph: Graph, resolution: number): Tensor {
	return graph.constant(`pixels of voxels ${resolution}`, "i32", [resolution ** 3, sides], () => imageColumnRows(resolution));
}

/** The values of `imageColumns`. */
export function imageColumnRows(resolution: number): Int32Array<ArrayBuffer> {
	const rows = new Int32Array(resolution ** 3 * sides);
	const pixel = (view: number, row: number, column: number) => (view * resolution + row) * resolution + column;
	let i = 0;
	for (let x = 0; x < resolution; x++) {
		for (let y = 0; y < resolution; y++) {
			for (let z = 0; z < resolution; z++) {
				const row = resolution - 1 - z;
				for (const view of [front, back]) rows[i++] = pixel(view, row, x);
				for (const view of [right, left]) rows[i++] = pixel(view, row, y);
			}
		}
	}
	return rows;
}

/**
 * For every pixel of [sides, domains, side, side] the column of voxels behind it, as rows of [domains, side, side, side] of one half:
 * i32 [pixels, side].
 */
export function voxelColumns(graph: Graph, side: number): Tensor {
	const count = sides * domains * side * side;
	return graph.constant(`voxels of pixels ${side}`, "i32", [count, side], () => voxelColumnRows(side));
}

/** The values of `voxelColumns`. */
export function voxelColumnRows(side: number): Int32Array<ArrayBuffer> {
	const rows = new Int32Array(sides * domains * side * side * side);
	let i = 0;
	for (let view = 0; view < sides; view++) {
		for (let domain = 0; domain < domains; domain++) {
			const voxel = (x: number, y: number, z: number) => ((domain * side + x) * side + y) * side + z;
			for (let row = 0; row < side; row++) {
				for (let column = 0; column < side; column++) {
					const z = side - 1 - row;
					for (let k = 0; k < side; k++) rows[i++] = view === front || view === back ? voxel(column, k, z) : voxel(k, column, z);
				}
			}
		}
	}
	return rows;
}

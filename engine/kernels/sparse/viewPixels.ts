import { SyncHumanError } from "../../error.ts";

/** Which pixels of the four views' feature maps the voxels see. Views 0 and 2 share their pixels, and so do views 1 and 3. */
export interface ViewPixels {
	/** Distinct pixels (row * side + column) of the front and back views, ascending. */
	readonly frontBack: Int32Array<ArrayBuffer>;
	/** Distinct pixels of the side views, ascending. */
	readonly sides: Int32Array<ArrayBuffer>;
	/** [voxels, 2] positions of each voxel in `frontBack`, and in `sides` after them: frontBack.length + position. */
	readonly positions: Int32Array<ArrayBuffer>;
}

/** Voxels along an axis that the mapping assumes, whatever the decoder's resolution. */
const gridSide = 64;

/**
 * Voxel (x, y, z) sees row 63 - z of every view, column x in views 0 and 2 and column y in views 1 and 3 (the stored pictures of views
 * 2 and 3 are mirrored, hence no 63 - x). `coords` [n, 4]; maps of `side` x `side` pixels, 64 upstream; smaller ones are scaled.
 * Upstream: condition_mv of the decoders' base class. Throws code "input" for voxels outside the grid of 64.
 */
export function viewPixels(coords: Int32Array, side: number): ViewPixels {
	const count = coords.length / 4;
	const pixel = (position: number) => Math.floor((position * side) / gridSide);
	const seen = [new Int32Array(side * side).fill(-1), new Int32Array(side * side).fill(-1)];
	const pixels = new Int32Array(count * 2);
	for (let row = 0; row < count; row++) {
		const [, x, y, z] = coords.subarray(row * 4, row * 4 + 4);
		if (!(Math.min(x, y, z) >= 0 && Math.max(x, y, z) < gridSide)) {
			throw new SyncHumanError("input", `voxels: (${x}, ${y}, ${z}) in row ${row} is outside the grid of ${gridSide}^3`);
		}
		const line = pixel(gridSide - 1 - z) * side;
		[x, y].forEach((column, pair) => {
			pixels[row * 2 + pair] = line + pixel(column);
			seen[pair][line + pixel(column)] = 0;
		});
	}
	const lists = seen.map((marks) => {
		let next = 0;
		const list: number[] = [];
		marks.forEach((mark, index) => {
			if (mark < 0) return;
			marks[index] = next++;
			list.push(index);
		});
		return Int32Array.from(list);
	});
	const positions = pixels.map((index, at) => (at % 2 === 0 ? seen[0][index] : lists[0].length + seen[1][index]));
	return { frontBack: lists[0], sides: lists[1], positions };
}

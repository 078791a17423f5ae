import { cellOf, rankOfCell, type VoxelSet, voxelSet } from "./voxelSet.ts";

/** A voxel set at half the resolution and how the two belong together. */
export interface PooledVoxels {
	/** Parents, in lexicographic order. */
	readonly parents: VoxelSet;
	/** [voxels] row of each voxel's parent. */
	readonly parentOf: Int32Array<ArrayBuffer>;
	/** [parents, 8] rows of each parent's children in ascending order, -1 after the last. */
	readonly childrenOf: Int32Array<ArrayBuffer>;
}

/** Children a parent has at most. */
export const mostChildren = 8;

/** Halves the coordinates (rounding down). Upstream: SparseDownsample(2), whose parents are sorted by (batch, x, y, z). */
export function pooledVoxels(set: VoxelSet): PooledVoxels {
	const { count, coords } = set;
	const halved = new Int32Array(coords.length);
	for (let at = 0; at < coords.length; at += 4) {
		halved[at] = coords[at];
		halved[at + 1] = coords[at + 1] >> 1;
		halved[at + 2] = coords[at + 2] >> 1;
		halved[at + 3] = coords[at + 3] >> 1;
	}
	const [parentOf, parents] = distinctCells(halved);
	const childrenOf = new Int32Array(parents.count * mostChildren).fill(-1);
	const seen = new Uint8Array(parents.count);
	for (let row = 0; row < count; row++) childrenOf[parentOf[row] * mostChildren + seen[parentOf[row]]++] = row;
	return { parents, parentOf, childrenOf };
}

/** The set of distinct coordinates in lexicographic order, and the row of each given one in it. */
function distinctCells(coords: Int32Array): [Int32Array<ArrayBuffer>, VoxelSet] {
	const count = coords.length / 4;
	const order = Uint32Array.from({ length: count }, (_, row) => row).sort((a, b) => compareRows(coords, a, b));
	const distinct = new Int32Array(coords.length);
	let rows = 0;
	order.forEach((row, position) => {
		if (position > 0 && compareRows(coords, order[position - 1], row) === 0) return;
		distinct.set(coords.subarray(row * 4, row * 4 + 4), rows++ * 4);
	});
	const set = voxelSet(distinct.slice(0, rows * 4));
	const cells = { coords, extent: set.extent, origin: set.origin };
	return [Int32Array.from({ length: count }, (_, row) => rankOfCell(set, cellOf(cells, row))), set];
}

function compareRows(coords: Int32Array, a: number, b: number): number {
	for (let axis = 0; axis < 4; axis++) {
		const difference = coords[a * 4 + axis] - coords[b * 4 + axis];
		if (difference !== 0) return difference;
	}
	return 0;
}

/** Voxels grouped into windows: the rows of window w are rows[offsets[w] .. offsets[w + 1]]. */
export interface WindowPartition {
	/** [windows + 1]. */
	readonly offsets: Uint32Array<ArrayBuffer>;
	/** [voxels] in ascending order inside each window. */
	readonly rows: Uint32Array<ArrayBuffer>;
	/** Voxels of the largest window. */
	readonly largest: number;
}

/**
 * Groups voxels by batch element and floor((coordinate + shift) / size) along each axis; only windows that hold voxels, in lexicographic
 * order. `coords` [n, 4]. Upstream: calc_window_partition.
 */
export function windowPartition(coords: Int32Array, size: number, shift: number): WindowPartition {
	const count = coords.length / 4;
	const windowOf = (row: number, axis: number) => (axis === 0 ? coords[row * 4] : Math.floor((coords[row * 4 + axis] + shift) / size));
	const extent = [0, 1, 2, 3].map((axis) => {
		let largest = 0;
		for (let row = 0; row < count; row++) largest = Math.max(largest, windowOf(row, axis));
		return largest + 1;
	});
	const keys = Float64Array.from({ length: count }, (_, row) => extent.reduce((key, side, axis) => key * side + windowOf(row, axis), 0));
	const distinct = Float64Array.from(new Set(keys)).sort();
	const indexOfKey = new Map(Array.from(distinct, (key, index) => [key, index]));
	const windows = Uint32Array.from(keys, (key) => indexOfKey.get(key) ?? 0);
	const offsets = new Uint32Array(distinct.length + 1);
	for (const window of windows) offsets[window + 1]++;
	let largest = 0;
	for (let window = 0; window < distinct.length; window++) {
		largest = Math.max(largest, offsets[window + 1]);
		offsets[window + 1] += offsets[window];
	}
	const next = offsets.slice();
	const rows = new Uint32Array(count);
	windows.forEach((window, row) => {
		rows[next[window]++] = row;
	});
	return { offsets, rows, largest };
}

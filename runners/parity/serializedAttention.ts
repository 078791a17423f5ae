import type { HostTensor } from "./adapter.ts";
import { batchRows } from "./sparseRows.ts";

/** Voxels in overlapping runs along a curve. */
export interface Serialization {
	/** [positions] row at each position of the runs. */
	readonly forward: Int32Array;
	/** [voxels] position whose result a voxel takes. */
	readonly backward: Int32Array;
	/** Length of each run. */
	readonly lengths: Int32Array;
}

/** Bits of x, y, z interleaved, x highest. */
function zOrder(x: number, y: number, z: number): number {
	let code = 0;
	for (let bit = 9; bit >= 0; bit--) code = code * 8 + ((x >> bit) & 1) * 4 + ((y >> bit) & 1) * 2 + ((z >> bit) & 1);
	return code;
}

/**
 * Cuts each batch element's z-order curve into runs of `size` that overlap, so that every voxel is in the middle part of one. No network
 * of SyncHuman uses it; the golden case sparse_attention does. Upstream: calc_serialization with z-order.
 */
export function serialization(coords: Int32Array, size: number, shift: number): Serialization {
	const forward: number[] = [];
	const backward = new Int32Array(coords.length / 4);
	const lengths: number[] = [];
	for (const [start, end] of batchRows(coords)) {
		const count = end - start;
		const code = (row: number) => zOrder(coords[row * 4 + 1], coords[row * 4 + 2], coords[row * 4 + 3]);
		const ordered = Array.from({ length: count }, (_, i) => start + i).sort((a, b) => code(a) - code(b));
		const runs = Math.ceil(count / size);
		const step = count / runs;
		for (let run = 0; run < runs; run++) {
			const base = forward.length;
			const length = runs === 1 ? count : size;
			const [validStart, validEnd] = runs === 1 ? [0, count] : [run, run + 1].map((i) => Math.floor(i * step + shift));
			const first = runs === 1 ? 0 : Math.floor((run + 0.5) * step + shift - 0.5 * size);
			for (let i = 0; i < length; i++) forward.push(ordered[(((first + i) % count) + count) % count]);
			for (let i = validStart; i < validEnd; i++) backward[ordered[i % count]] = base + i - first;
			lengths.push(length);
		}
	}
	return { forward: Int32Array.from(forward), backward, lengths: Int32Array.from(lengths) };
}

/**
 * The golden's order inside windows is that of an unstable sort. Gives our grouping in the golden's order where both have the same voxels
 * in every window, and as it is where they differ.
 */
export function likeGolden(rows: ArrayLike<number>, lengths: ArrayLike<number>, golden: HostTensor): Int32Array {
	const ours = Int32Array.from(rows);
	let start = 0;
	for (let window = 0; window < lengths.length; window++) {
		const end = start + lengths[window];
		const sorted = (values: ArrayLike<number>) => Array.from(values).sort((a, b) => a - b);
		const [a, b] = [sorted(ours.subarray(start, end)), sorted(golden.data.subarray(start, end))];
		if (a.length !== b.length || a.some((row, i) => row !== b[i])) return ours;
		start = end;
	}
	return start === golden.data.length ? Int32Array.from(golden.data) : ours;
}

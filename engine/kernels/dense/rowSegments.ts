import type { Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { alignedRows, allFit, bindingLimit, rowBytes, showRows, tooLarge } from "../../graph/windows.ts";

/** Some rows of a matrix, in segments: row m stands for row first + floor(m / count) * stride + m % count. */
export interface RowSegments {
	readonly first: number;
	/** Consecutive rows of one segment. */
	readonly count: number;
	/** Rows from the start of one segment to the start of the next. */
	readonly stride: number;
	readonly segments: number;
}

/** A `Params` field of three numbers: first, count, stride. */
export function segmentParams(segments: RowSegments | undefined): readonly [number, number, number] {
	return segments ? [segments.first, segments.count, segments.stride] : [0, 1, 0];
}

/** Matrices that a kernel indexes alike, by row or by `segments`. */
export interface SegmentedSide {
	readonly tensors: readonly Tensor[];
	readonly segments: RowSegments | undefined;
}

/**
 * Calls `record` for consecutive ranges of the rows that two sides share (what is read, what is written), each side shown as far as the
 * range needs, with the segments that find it there: one call where everything fits. Throws code "memory" where the rows between two
 * aligned ones are too much.
 */
export function forEachSegmentWindow(
	graph: Graph,
	rows: number,
	sides: readonly [SegmentedSide, SegmentedSide],
	record: (start: number, count: number, sides: readonly [SegmentedSide, SegmentedSide]) => void,
): void {
	if (
		allFit(
			graph,
			sides.flatMap(({ tensors }) => tensors),
		)
	) {
		record(0, rows, sides);
		return;
	}
	const limit = bindingLimit(graph);
	const rowOf = ({ segments: s }: SegmentedSide, m: number) => (s ? s.first + Math.floor(m / s.count) * s.stride + (m % s.count) : m);
	const fits = (side: SegmentedSide, start: number, end: number) => {
		const first = Math.floor(rowOf(side, start) / alignedRows(side.tensors)) * alignedRows(side.tensors);
		return side.tensors.every((tensor) => (rowOf(side, end - 1) + 1 - first) * rowBytes(tensor) <= limit);
	};
	for (let start = 0; start < rows; ) {
		// A range begins at a segment's first row, or stays inside a segment.
		const last = Math.min(
			rows,
			...sides.map(({ segments: s }) => (s && start % s.count !== 0 ? start - (start % s.count) + s.count : rows)),
		);
		let [count, tooMany] = [0, last - start + 1];
		while (tooMany - count > 1) {
			const middle = Math.floor((count + tooMany) / 2);
			if (sides.every((side) => fits(side, start, start + middle))) count = middle;
			else tooMany = middle;
		}
		if (count === 0)
			throw tooLarge(
				graph,
				sides.flatMap(({ tensors }) => tensors),
				1,
			);
		// Whole segments where there are any, and whole aligned rows of what has none.
		if (start + count < last) {
			const wholes = sides.flatMap(({ segments: s }) => (s && start % s.count === 0 && count > s.count ? [s.count] : []));
			const plain = sides.flatMap(({ segments, tensors }) => (segments === undefined ? tensors : []));
			const unit = alignedRows(plain, Math.max(1, ...wholes));
			count = Math.floor(count / unit) * unit || count;
		}
		const [from, end] = [start, start + count];
		const shown = sides.map((side): SegmentedSide => {
			const window = showRows(side.tensors, rowOf(side, from), rowOf(side, end - 1) + 1);
			const first = rowOf(side, from) - window.first;
			const plain = side.segments === undefined && first === 0;
			const inside = side.segments === undefined || from % side.segments.count !== 0 || count <= side.segments.count;
			return {
				tensors: window.tensors,
				segments: plain ? undefined : inside ? { first, count, stride: count, segments: 1 } : { ...(side.segments as RowSegments), first },
			};
		});
		record(start, count, [shown[0], shown[1]]);
		start += count;
	}
}

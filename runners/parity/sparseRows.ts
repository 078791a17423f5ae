import type { HostTensor, ParityContext } from "./adapter.ts";

/** Rows (batch, x, y, z) of a golden's `coords`. */
export function coordinatesOf(coords: HostTensor): Int32Array {
	return Int32Array.from(coords.data);
}

/** (x, y, z) of rows (batch, x, y, z). */
export function withoutBatch(coords: Int32Array): Int32Array {
	return coords.filter((_, index) => index % 4 !== 0);
}

/** First row and the row after the last of every batch element; rows of one element stand together. */
export function batchRows(coords: Int32Array): readonly (readonly [start: number, end: number])[] {
	const parts: [number, number][] = [];
	for (let row = 0; row < coords.length / 4; row++) {
		const last = parts.at(-1);
		if (last !== undefined && coords[last[0] * 4] === coords[row * 4]) last[1] = row + 1;
		else parts.push([row, row + 1]);
	}
	return parts;
}

/** The rows of a matrix that a golden keeps. */
export function keptRows(tensor: HostTensor, rows: ArrayLike<number>): HostTensor {
	const width = tensor.data.length / tensor.shape[0];
	const data = new Float64Array(rows.length * width);
	for (let i = 0; i < rows.length; i++) data.set(tensor.data.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
	return { shape: [rows.length, ...tensor.shape.slice(1)], data };
}

/** Shape in which a stage-2 golden keeps an output, before any sampling. */
export function keptShape(context: ParityContext, output: string): readonly number[] {
	return context.meta.tensors[`outputs/${output}`].shape;
}

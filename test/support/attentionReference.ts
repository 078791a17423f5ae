/** A matrix of which columns from `column` on are read. */
export interface Matrix {
	readonly values: ArrayLike<number>;
	readonly width: number;
	readonly column: number;
}

/** Softmax attention of one query row and head to the given key rows, in f64; `scale` 1 / sqrt(size). */
export function referenceRow(
	q: Matrix,
	k: Matrix,
	v: Matrix,
	head: number,
	size: number,
	queryRow: number,
	keyRows: readonly number[],
	scale = 1 / Math.sqrt(size),
): Float64Array {
	const at = (m: Matrix, row: number, i: number) => m.values[row * m.width + m.column + head * size + i];
	const scores = keyRows.map((row) => {
		let sum = 0;
		for (let i = 0; i < size; i++) sum += at(q, queryRow, i) * at(k, row, i);
		return sum * scale;
	});
	const largest = Math.max(...scores);
	const weights = scores.map((score) => Math.exp(score - largest));
	const total = weights.reduce((a, b) => a + b, 0);
	return Float64Array.from({ length: size }, (_, i) => keyRows.reduce((sum, row, j) => sum + weights[j] * at(v, row, i), 0) / total);
}

/** All heads of all rows that `keysOf` gives keys for: [rows, heads * size], 0 elsewhere. */
export function attentionReference(
	q: Matrix,
	k: Matrix,
	v: Matrix,
	rows: number,
	heads: number,
	size: number,
	keysOf: (row: number) => readonly number[] | undefined,
): Float64Array {
	const y = new Float64Array(rows * heads * size);
	for (let row = 0; row < rows; row++) {
		const keys = keysOf(row);
		if (keys === undefined) continue;
		for (let head = 0; head < heads; head++) y.set(referenceRow(q, k, v, head, size, row, keys), (row * heads + head) * size);
	}
	return y;
}

/** A matrix [rows, width] read from `column` on. */
export const matrixOf = (values: ArrayLike<number>, width: number, column = 0): Matrix => ({ values, width, column });

const f32 = Math.fround;

/** Numbers in one vector of torch's CPU kernels with AVX2. */
const lanes = 8;
/** Partial sums that run beside each other, and the levels at which each is kept. */
const sums = 4;
const levels = 4;

/**
 * torch: `values.sum()` over one contiguous float32 row on a CPU with AVX2, rounding by rounding. Vectors of 8 are dealt to four sums;
 * each sum collects a run of 2^k vectors, hands it up to the next of four levels, which hands its own up in turn, and so on (a pairwise
 * sum in wide steps). Source: the description in aten/src/ATen/native/cpu/SumKernel.cpp (cascade sum), order of additions only.
 */
export function cascadeSum(values: Float32Array): number {
	const vectors = Math.floor(values.length / lanes);
	const rows = Math.floor(vectors / sums);
	const width = sums * lanes;
	const runBits = Math.max(4, Math.floor(Math.ceil(Math.log2(Math.max(rows, 1))) / levels));
	const run = 2 ** runBits;
	const collected = Array.from({ length: levels }, () => new Float32Array(width));
	for (let row = 0; row < rows; row++) {
		addInto(collected[0], values.subarray(row * width, (row + 1) * width));
		// After a whole run, level by level for as long as that level's own run is whole.
		for (let level = 1, done = row + 1; level < levels && done % run === 0; level++, done /= run) {
			addInto(collected[level], collected[level - 1]);
			collected[level - 1].fill(0);
		}
	}
	const [total] = collected;
	for (const level of collected.slice(1)) addInto(total, level);
	for (let vector = rows * sums; vector < vectors; vector++) addInto(total, values.subarray(vector * lanes, (vector + 1) * lanes));
	for (let sum = 1; sum < sums; sum++) addInto(total, total.subarray(sum * lanes, (sum + 1) * lanes));
	let result = 0;
	for (const value of values.subarray(vectors * lanes)) result = f32(result + value);
	for (const value of total.subarray(0, lanes)) result = f32(result + value);
	return result;
}

/** sums[i] += values[i], each in float32. */
function addInto(sums: Float32Array, values: Float32Array): void {
	for (let i = 0; i < values.length; i++) sums[i] += values[i];
}

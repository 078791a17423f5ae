import type { HostTensor } from "./adapter.ts";
import type { Bound } from "./bounds.ts";

/** The difference of one output from the golden. */
export interface Comparison {
	readonly passed: boolean;
	readonly count: number;
	readonly nmse: number;
	readonly maxError: number;
	/** Element of the compared values with the largest error, the first of equals; -1 where nothing differs. */
	readonly maxErrorIndex: number;
	/** Values there: ours and the golden's. */
	readonly atMax: readonly [actual: number, expected: number] | undefined;
	/** Why it failed, where the figures do not say it. */
	readonly problem: string | undefined;
}

/** Picks what the golden keeps of a whole output: see goldens/README.md and its small print. */
export function pickStored(
	actual: HostTensor,
	expected: HostTensor,
	keep: {
		readonly sample?: { readonly count: number; readonly stride: number } | undefined;
		readonly shape?: readonly number[] | undefined;
	},
): HostTensor | string {
	const total = elements(actual.shape);
	if (total !== actual.data.length) return `holds ${actual.data.length} values for the shape [${actual.shape}]`;
	if (keep.sample !== undefined) {
		const whole = keep.shape ?? [];
		if (elements(whole) !== total) return `must be [${whole}], got [${actual.shape}]`;
		const { count, stride } = keep.sample;
		const data = new Float64Array(count);
		for (let j = 0; j < count; j++) data[j] = actual.data[(j * stride) % total];
		return { shape: [count], data };
	}
	if (total === expected.data.length)
		return sameUpToOnes(actual.shape, expected.shape) ? actual : `must be [${expected.shape}], got [${actual.shape}]`;
	const [rows, ...rest] = actual.shape;
	const [keptRows, ...keptRest] = expected.shape;
	if (keptRows === undefined || keptRows > rows || elements(rest) !== elements(keptRest))
		return `must be [${expected.shape}], got [${actual.shape}]`;
	const width = elements(rest);
	const data = new Float64Array(keptRows * width);
	linspaceRows(rows, keptRows).forEach((row, i) => {
		data.set(actual.data.subarray(row * width, (row + 1) * width), i * width);
	});
	return { shape: expected.shape, data };
}

/** torch: `linspace(0, rows - 1, count).round()` in float32, ties to even: the rows that a stage-2 golden keeps. */
export function linspaceRows(rows: number, count: number): number[] {
	const last = rows - 1;
	const step = Math.fround(last / (count - 1));
	return Array.from({ length: count }, (_, i) => {
		const position = i < count / 2 ? Math.fround(step * i) : Math.fround(last - step * (count - 1 - i));
		const below = Math.floor(position);
		const rest = position - below;
		return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
	});
}

function elements(shape: readonly number[]): number {
	return shape.reduce((product, extent) => product * extent, 1);
}

function sameUpToOnes(a: readonly number[], b: readonly number[]): boolean {
	const [x, y] = [a, b].map((shape) => shape.filter((extent) => extent !== 1));
	return x.length === y.length && x.every((extent, axis) => extent === y[axis]);
}

/** Compares what was picked with the golden's values. A value that is not finite fails by name of its index. */
export function compareValues(actual: HostTensor["data"], expected: HostTensor["data"], bound: Bound): Comparison {
	let squares = 0;
	let reference = 0;
	let maxError = 0;
	let maxErrorIndex = -1;
	let worstUlps = 0;
	let beyond = 0;
	for (let i = 0; i < expected.length; i++) {
		if (!Number.isFinite(actual[i])) {
			const problem = `${actual[i]} at index ${i} (golden ${expected[i]})`;
			return { passed: false, count: expected.length, nmse: NaN, maxError: NaN, maxErrorIndex: i, atMax: undefined, problem };
		}
		const error = Math.abs(actual[i] - expected[i]);
		squares += error * error;
		reference += expected[i] * expected[i];
		if (error > maxError) {
			maxError = error;
			maxErrorIndex = i;
		}
		if (bound.kind === "picture" && error > bound.level) beyond++;
		if (bound.kind === "ulp" && error > bound.absolute) worstUlps = Math.max(worstUlps, error / ulpOf(expected[i], bound.format));
	}
	const nmse = squares === 0 ? 0 : squares / reference;
	const psnr = bound.kind === "psnr" ? 10 * Math.log10((bound.peak ** 2 * expected.length) / squares) : 0;
	return {
		passed: satisfies(bound, nmse, maxError, { picture: beyond / expected.length, psnr, ulp: worstUlps }),
		count: expected.length,
		nmse,
		maxError,
		maxErrorIndex,
		atMax: maxErrorIndex < 0 ? undefined : [actual[maxErrorIndex], expected[maxErrorIndex]],
		problem: figureOf(bound, { picture: beyond, psnr, ulp: worstUlps }),
	};
}

/** By kind of bound: the share (or number) of values beyond the level, decibels, the worst difference in ulps. */
type Figures = Readonly<Record<"picture" | "psnr" | "ulp", number>>;

function figureOf({ kind }: Bound, figures: Figures): string | undefined {
	if (kind === "ulp") return `${figures.ulp} ulp`;
	if (kind === "psnr") return `${figures.psnr.toFixed(1)} dB`;
	return kind === "picture" ? `${figures.picture} beyond` : undefined;
}

function satisfies(bound: Bound, nmse: number, maxError: number, figures: Figures): boolean {
	switch (bound.kind) {
		case "exact":
			return maxError === 0;
		case "nmse":
			return nmse <= bound.nmse && maxError <= (bound.absolute ?? Number.POSITIVE_INFINITY);
		case "absolute":
			return maxError <= bound.absolute;
		case "ulp":
			return figures.ulp <= bound.ulps;
		case "psnr":
			return figures.psnr >= bound.decibels;
		case "picture":
			return nmse <= bound.nmse && figures.picture <= bound.share;
		default:
			return Math.sqrt(nmse) <= bound.relative;
	}
}

/** Distance of neighbouring numbers around `value` in a binary format. */
function ulpOf(value: number, format: "f16" | "f32"): number {
	const [fractionBits, smallestExponent] = format === "f16" ? [10, -14] : [23, -126];
	const exponent = value === 0 ? smallestExponent : Math.max(smallestExponent, Math.floor(Math.log2(Math.abs(value))));
	return 2 ** (exponent - fractionBits);
}

/** How the occupied voxels of two sets of logits differ, under the bound of the table's "voxels and coords" line. */
export function compareVoxels(
	actual: HostTensor["data"],
	expected: HostTensor["data"],
	dtype: "f16" | "f32",
): { passed: boolean; differing: number; largestLogit: number } {
	let differing = 0;
	let largestLogit = 0;
	for (let i = 0; i < expected.length; i++) {
		if (actual[i] > 0 === expected[i] > 0) continue;
		differing++;
		largestLogit = Math.max(largestLogit, Math.abs(expected[i]));
	}
	const passed = dtype === "f32" ? largestLogit < 1e-3 : largestLogit < 0.1 && differing <= expected.length / 100;
	return { passed, differing, largestLogit };
}

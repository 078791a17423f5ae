import type { DeviceReport } from "../../gpu/device.ts";
import { hasSubgroupMatrices, multiprocessors } from "./subgroupMatrix.ts";

/** A kernel and the rows and columns that one of its workgroups computes. */
export interface MatmulKernel {
	readonly shader: string;
	readonly tileRows: number;
	readonly tileColumns: number;
	/** Whether it has the aliases Input and Weight; otherwise both are f16. */
	readonly takesAnyDtype: boolean;
	readonly overrides: Readonly<Record<string, number | boolean>>;
	/** Workgroups that share a tile, each with a part of the channels; another kernel adds up what they store. Default 1. */
	readonly parts?: number;
	/** matmulFewTiles.wgsl: a few rows behind the last whole tile need no tile of their own, and sums in parts lie by rows. */
	readonly takesTail?: boolean;
}

/** Whether rows behind the last whole tile are few enough for matmulFewTiles.wgsl to take them with the others. */
export function hasTail(rows: number): boolean {
	return rows >= 3 * 128 && rows % 128 > 0 && rows % 128 <= 8;
}

/** What the choice depends on: shapes and the device, never timing. */
export interface MatmulFacts {
	readonly rows: number;
	readonly columns: number;
	readonly gated: boolean;
	/** x and weight are f16. */
	readonly halves: boolean;
	readonly channels: number;
	/** Of a convolution; 1 otherwise. */
	readonly taps: number;
	/** Rows of x by a table. */
	readonly gathered: boolean;
	readonly weights: number;
	/** A layer norm of the rows follows; the kernel that adds up parts does it on the way. */
	readonly normed: boolean;
	/** Strides and first columns of what is read with the channels. */
	readonly inputs: readonly number[];
	/** Strides and first columns of what is written, and of what is read per output. */
	readonly outputs: readonly number[];
}

/** The one place that chooses the kernel of a matmul. */
export function chooseMatmulKernel(report: DeviceReport, facts: MatmulFacts): MatmulKernel {
	const { rows, columns, gated, halves, channels, weights, inputs, outputs } = facts;
	const all = (values: readonly number[], unit: number) => values.every((value) => value % unit === 0);
	const whole = channels % 32 === 0 && all(inputs, 8) && columns % (gated ? 8 : 4) === 0 && all(outputs, 4);
	if (hasSubgroupMatrices(report) && halves && rows > 64 && whole) {
		const { parts, fragmentColumns, half } = divide(report, facts);
		const tile = { tileRows: 128, tileColumns: 32 * fragmentColumns, takesAnyDtype: false };
		if (half) return { ...tile, shader: "dense/matmulFewTiles", overrides: { fragmentColumns }, parts, takesTail: true };
		if (parts > 1) return { ...tile, shader: "dense/matmulParts", overrides: { fragmentColumns }, parts };
		return { ...tile, shader: "dense/matmulSubgroupMatrix", overrides: { fragmentColumns, gated } };
	}
	if (columns <= 8 && rows > 64 && weights === 1 && !gated && channels % 4 === 0 && all(inputs, 4)) {
		return { shader: "dense/matmulFewColumns", tileRows: 32, tileColumns: 8, takesAnyDtype: true, overrides: { wide: columns > 4 } };
	}
	const vectors = channels % 4 === 0 && all(inputs, 4) && columns % (gated ? 8 : 4) === 0 && all(outputs, 4);
	if (!report.software && rows > 64 && columns > 32 && vectors) {
		return { shader: "dense/matmulVectors", tileRows: 128, tileColumns: 128, takesAnyDtype: true, overrides: { gated } };
	}
	// Eight by eight sums a thread: as many columns as there are, up to a square tile.
	const square = report.software || rows <= 64 ? 8 : 16;
	const threadsX = [1, 2, 4].find((threads) => columns <= 8 * threads) ?? square;
	const threadsY = threadsX < 8 && rows > 64 ? 32 : square;
	const overrides = { threadsX, threadsY, gated };
	return { shader: "dense/matmul", tileRows: 8 * threadsY, tileColumns: 8 * threadsX, takesAnyDtype: true, overrides };
}

/** Tiles of 32 fragmentColumns columns, each computed by `parts` workgroups. */
interface Division {
	readonly fragmentColumns: 4 | 5;
	readonly parts: number;
	/** By matmulFewTiles.wgsl, whose workgroups take half a multiprocessor's channels with each half of their subgroups. */
	readonly half: boolean;
}

/** Turns of all multiprocessors up to which matmulFewTiles.wgsl is faster by more than its times spread; 46,080 x 2560 -> 640 (11 turns) takes 611 us with it, 481 without. */
const mostFewTiles = 6 * multiprocessors;

/**
 * The fastest division by what workgroups take on an H200 (docs/matmul.md), which runs two on each of its multiprocessors, or one of
 * matmulFewTiles.wgsl: wider tiles do more in a time, narrower ones fill the last turn better, and parts fill a GPU that has few tiles.
 */
function divide(report: DeviceReport, facts: MatmulFacts): Division {
	const { rows, columns, channels, taps, gathered, gated, weights } = facts;
	const wide = [4, 5] as const;
	const fastest = (divisions: readonly Division[]) => divisions.reduce((a, b) => (microseconds(facts, b) < microseconds(facts, a) ? b : a));
	const whole = wide.map((fragmentColumns): Division => ({ fragmentColumns, parts: 1, half: false }));
	if (gated || weights > 1) return fastest(whole);
	const halves = !gathered && channels % 64 === 0 && takesFewTiles(report);
	const few = (fragmentColumns: number) => Math.ceil(rows / 128) * Math.ceil(columns / (32 * fragmentColumns)) <= mostFewTiles;
	if (halves) whole.push(...wide.filter(few).map((fragmentColumns): Division => ({ fragmentColumns, parts: 1, half: true })));
	const inParts: Division[] = [];
	for (let parts = 2; parts <= 8 && parts * rows * columns <= 2 ** 24; parts++) {
		for (const fragmentColumns of wide) {
			if ((channels * taps) / 32 / parts >= 8) inParts.push({ fragmentColumns, parts, half: false });
			const slices = channels / 64;
			const none = (parts - 1) * Math.ceil(slices / parts) >= slices; // for the last one
			if (halves && slices / parts >= 4 && !none) inParts.push({ fragmentColumns, parts, half: true });
		}
	}
	const best = fastest(whole);
	const parted = fastest([best, ...inParts]);
	return microseconds(facts, parted) < 0.92 * microseconds(facts, best) ? parted : best;
}

function microseconds({ rows, columns, channels, taps, normed }: MatmulFacts, { fragmentColumns, parts, half }: Division): number {
	const rowTiles = half && hasTail(rows) ? Math.floor(rows / 128) : Math.ceil(rows / 128);
	const workgroups = rowTiles * Math.ceil(columns / (32 * fragmentColumns)) * parts;
	const norm = normed && parts === 1 ? 8 : 0; // by itself
	const adding = parts === 1 ? norm : 4.5 + workgroups * fragmentColumns * 4e-3;
	if (half) {
		const slice = fragmentColumns === 4 ? 0.97 : rowTiles * 128 < rows ? 1.6 : 1.06; // of 64 channels; rows behind the last tile cost registers
		return Math.ceil(workgroups / multiprocessors) * (Math.ceil(channels / 64 / parts) * slice + 4) + adding;
	}
	const slices = Math.ceil((channels * taps) / 32 / parts);
	const [shared, alone] = fragmentColumns === 5 ? [1.06, 0.83] : [0.9, 0.8]; // a slice of two workgroups of a multiprocessor, and of one
	const besides = 5;
	const turns = Math.floor(workgroups / (2 * multiprocessors));
	const rest = workgroups - turns * 2 * multiprocessors;
	const last = rest === 0 ? 0 : slices * (rest > multiprocessors ? shared : alone) + besides;
	return turns * (slices * shared + besides) + last + adding;
}

/** What matmulFewTiles.wgsl needs of a device besides `hasSubgroupMatrices`. */
function takesFewTiles({ subgroupMatrixShapes, limits }: DeviceReport): boolean {
	const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = limits;
	const room = maxComputeWorkgroupStorageSize >= 45056 && maxComputeInvocationsPerWorkgroup >= 256;
	return room && subgroupMatrixShapes.includes("f16->f32 16x8x16");
}

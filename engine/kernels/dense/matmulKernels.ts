import type { DeviceReport } from "../../gpu/device.ts";
import { hasSubgroupMatrices } from "./subgroupMatrix.ts";

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
	readonly weights: number;
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
		const { parts, fragmentColumns } = divide(facts);
		const tile = { tileRows: 128, tileColumns: 32 * fragmentColumns, takesAnyDtype: false };
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
}

/**
 * The fastest division by what workgroups take on an H200 (docs/matmul.md), which runs two on each of its multiprocessors: wider tiles do
 * more in a time, narrower ones fill the last turn better, and parts fill a GPU that has few tiles.
 */
function divide(facts: MatmulFacts): Division {
	const { rows, columns, channels, taps, gated, weights } = facts;
	const whole = ([4, 5] as const).map((fragmentColumns) => ({ fragmentColumns, parts: 1 }));
	const best = whole.reduce((a, b) => (microseconds(facts, b) < microseconds(facts, a) ? b : a));
	if (gated || weights > 1) return best;
	const inParts: Division[] = [];
	for (let parts = 2; parts <= 8 && (channels * taps) / 32 / parts >= 8 && parts * rows * columns <= 2 ** 24; parts++)
		for (const { fragmentColumns } of whole) inParts.push({ fragmentColumns, parts });
	const fastest = inParts.reduce((a, b) => (microseconds(facts, b) < microseconds(facts, a) ? b : a), best);
	return microseconds(facts, fastest) < 0.85 * microseconds(facts, best) ? fastest : best;
}

function microseconds({ rows, columns, channels, taps }: MatmulFacts, { fragmentColumns, parts }: Division): number {
	const multiprocessors = 132;
	const tiles = Math.ceil(rows / 128) * Math.ceil(columns / (32 * fragmentColumns));
	const workgroups = tiles * parts;
	const slices = Math.ceil((channels * taps) / 32 / parts);
	const [shared, alone] = fragmentColumns === 5 ? [1.06, 0.83] : [0.9, 0.8]; // a slice of two workgroups of a multiprocessor, and of one
	const besides = 5;
	const turns = Math.floor(workgroups / (2 * multiprocessors));
	const rest = workgroups - turns * 2 * multiprocessors;
	const last = rest === 0 ? 0 : slices * (rest > multiprocessors ? shared : alone) + besides;
	const adding = parts === 1 ? 0 : 4.5 + workgroups * fragmentColumns * 4e-3;
	return turns * (slices * shared + besides) + last + adding;
}

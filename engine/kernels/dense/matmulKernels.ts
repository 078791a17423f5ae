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
}

/** What the choice depends on: shapes and the device, never timing. */
export interface MatmulFacts {
	readonly rows: number;
	readonly columns: number;
	readonly gated: boolean;
	/** x and weight are f16. */
	readonly halves: boolean;
	readonly channels: number;
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
		// 160 columns are a tenth faster than 128 where they leave hardly more of the last tile empty.
		const padded = (tile: number) => Math.ceil(columns / tile) * tile;
		const fragmentColumns = padded(160) <= 1.05 * padded(128) ? 5 : 4;
		return {
			shader: "dense/matmulSubgroupMatrix",
			tileRows: 128,
			tileColumns: 32 * fragmentColumns,
			takesAnyDtype: false,
			overrides: { fragmentColumns, gated },
		};
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

import type { DeviceReport } from "../../gpu/device.ts";
import { type DType, describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import type { PerGroup } from "./matmulRequest.ts";
import { forEachSegmentWindow, type RowSegments, segmentParams } from "./rowSegments.ts";

/** Layer normalisation over the last axis; torch: F.layer_norm(x, [columns], weight, bias, eps), then modulation and SiLU. */
export interface LayerNormRequest {
	/** [..., columns], f32 or f16: all but the last axis are rows. */
	readonly x: Tensor;
	/** Rows of x that are read; default all. The output has only these. */
	readonly xRows?: RowSegments | undefined;
	/** Added to the variance. */
	readonly eps: number;
	/** f32 [columns] each; left out for a norm without parameters. */
	readonly affine?: { readonly weight: Tensor; readonly bias: Tensor } | undefined;
	/** Multiplies the norm by 1 + scale and adds shift, both f32 rows shared by groups of output rows (adaptive layer norm). */
	readonly modulation?: { readonly scale: PerGroup; readonly shift: PerGroup } | undefined;
	/** SiLU after everything else. */
	readonly silu?: boolean | undefined;
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
	/** Writes into columns `column ..` of an existing tensor with as many rows instead of a new one. */
	readonly into?: { readonly tensor: Tensor; readonly column?: number } | undefined;
	readonly label?: string | undefined;
}

/**
 * Normalises each row to mean 0 and variance 1, with f32 statistics. Returns [..., columns] (with xRows: [rows, columns]), or
 * `into.tensor`. Any number of columns; splits into windows of rows. Throws where shapes do not fit.
 */
export function layerNorm(graph: Graph, request: LayerNormRequest): Tensor {
	const { x, xRows, affine, modulation, into } = request;
	const label = request.label ?? "layerNorm";
	const where = `${graph.path}/${label}`;
	const columns = x.shape.at(-1) ?? 0;
	const rowsIn = elementCount(x.shape) / Math.max(1, columns);
	const rows = xRows ? xRows.count * xRows.segments : rowsIn;
	if (columns === 0) throw new Error(`${where}: x must have columns, got ${describe(x)}`);
	if (xRows && rows > 0 && xRows.first + (xRows.segments - 1) * xRows.stride + xRows.count > rowsIn) {
		throw new Error(`${where}: segments of rows reach beyond x ${describe(x)}`);
	}
	for (const [name, tensor] of Object.entries(affine ?? {})) {
		if (elementCount(tensor.shape) !== columns) throw new Error(`${where}: ${name} must be [${columns}], got ${describe(tensor)}`);
	}
	for (const [name, part] of Object.entries(modulation ?? {})) checkPerGroup(`${where}: ${name}`, part, rows, columns);
	const y = into?.tensor ?? graph.tensor(label, request.outputDtype ?? x.dtype, xRows ? [rows, columns] : x.shape);
	const outputStride = y.shape.at(-1) ?? 0;
	const outputColumn = into?.column ?? 0;
	if (elementCount(y.shape) !== rows * outputStride || outputColumn + columns > outputStride) {
		throw new Error(`${where}: output must be [${rows}, >= ${outputColumn + columns}], got ${describe(y)}`);
	}
	const strides = [columns, outputStride, outputColumn, ...(modulation ? [modulation.scale, modulation.shift].flatMap(stridesOf) : [])];
	const { shader, workgroupSize, threadsPerRow, overrides } = divide(columns, graph.device.report, strides);
	const flatX = reshape(x, [rowsIn, columns]);
	const flatY = reshape(y, [rows, outputStride]);
	const record = (start: number, count: number, shownX: Tensor, shownY: Tensor, segments: RowSegments | undefined, firstShown = 0) => {
		graph.dispatch({
			shader,
			label,
			aliases: { Input: x.dtype, Output: y.dtype },
			overrides: {
				...overrides,
				workgroupSize,
				threadsPerRow,
				affine: affine !== undefined,
				modulated: modulation !== undefined,
				silu: request.silu ?? false,
				segmented: segments !== undefined,
			},
			tensors: {
				x: shownX,
				weight: affine?.weight,
				bias: affine?.bias,
				scale: modulation?.scale.tensor,
				shift: modulation?.shift.tensor,
				y: shownY,
			},
			mayBlock: shader !== "dense/layerNorm" && firstShown === 0 && columns === outputStride ? ["y"] : [],
			params: {
				rows: count,
				columns,
				eps: request.eps,
				firstRow: start,
				outputStride,
				outputColumn: firstShown * outputStride + outputColumn,
				scaleRows: modulation?.scale.rows ?? 1,
				scaleStride: modulation?.scale.tensor.shape.at(-1) ?? 0,
				scaleColumn: modulation?.scale.column ?? 0,
				shiftRows: modulation?.shift.rows ?? 1,
				shiftStride: modulation?.shift.tensor.shape.at(-1) ?? 0,
				shiftColumn: modulation?.shift.column ?? 0,
				segment: segmentParams(segments),
			},
			workgroups: foldedWorkgroups(Math.ceil(count / (workgroupSize / threadsPerRow))),
		});
	};
	if (xRows) {
		const sides = [
			{ tensors: [flatX], segments: xRows },
			{ tensors: [flatY], segments: undefined },
		] as const;
		forEachSegmentWindow(graph, rows, sides, (start, count, [read, written]) => {
			record(start, count, read.tensors[0], written.tensors[0], read.segments, written.segments?.first);
		});
	} else {
		forEachWindow(graph, rows, [flatX, flatY], (start, count) => {
			record(start, count, rowsOf(flatX, start, count), rowsOf(flatY, start, count), undefined);
		});
	}
	return y;
}

/** How rows are spread over threads, and the kernel that does so. */
interface Division {
	readonly shader: "dense/layerNorm" | "dense/layerNormVectors" | "dense/layerNormSubgroups";
	readonly workgroupSize: number;
	readonly threadsPerRow: number;
	readonly overrides: Readonly<Record<string, number>>;
}

/**
 * The one place that chooses the kernel: in registers where a row is whole vectors and fits those of a workgroup, by subgroups where they have one
 * size and a row is two to sixteen vectors a thread of one.
 */
function divide(columns: number, report: DeviceReport, strides: readonly number[]): Division {
	const largest = report.software ? 64 : 256;
	const powerAbove = (count: number) => 2 ** Math.ceil(Math.log2(Math.max(1, count)));
	const vectors = columns / 4;
	const most = 16;
	const workgroupSize = Math.min(largest, 128);
	const [smallest, size] = report.subgroupSizes;
	if (strides.every((stride) => stride % 4 === 0) && vectors <= most * workgroupSize) {
		if (report.subgroups && smallest === size && vectors >= 2 * size && vectors <= most * size && largest % size === 0) {
			const overrides = { vectorsPerThread: Math.ceil(vectors / size) };
			return { shader: "dense/layerNormSubgroups", workgroupSize: largest, threadsPerRow: size, overrides };
		}
		// Eight vectors a thread; more than 32 threads a row only where they do not hold it.
		const threadsPerRow = Math.max(powerAbove(vectors / most), Math.min(32, Math.max(8, powerAbove(vectors / 8))));
		const overrides = { vectorsPerThread: Math.ceil(vectors / threadsPerRow) };
		return { shader: "dense/layerNormVectors", workgroupSize, threadsPerRow, overrides };
	}
	// Enough threads that each reads at most eight columns, up to a workgroup.
	const threadsPerRow = Math.min(largest, powerAbove(columns / 8));
	return { shader: "dense/layerNorm", workgroupSize: Math.max(64, threadsPerRow), threadsPerRow, overrides: {} };
}

function stridesOf({ tensor, column = 0 }: PerGroup): readonly number[] {
	return [tensor.shape.at(-1) ?? 0, column];
}

/** Throws, naming `what`, where a per-group matrix has too few rows or columns for an output of [rows, columns]. */
export function checkPerGroup(what: string, part: PerGroup, rows: number, columns: number): void {
	const { tensor, column = 0 } = part;
	const groups = Math.ceil(rows / part.rows);
	const stride = tensor.shape.at(-1) ?? 0;
	if (tensor.dtype !== "f32" || stride < column + columns || elementCount(tensor.shape) < groups * stride) {
		throw new Error(`${what} must be f32 [>= ${groups}, >= ${column + columns}], got ${describe(tensor)}`);
	}
}

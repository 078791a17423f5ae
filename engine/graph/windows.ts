import { SyncHumanError } from "../error.ts";
import { elementBytes, elementCount, rowsOf, type Tensor, tensorBytes } from "../gpu/tensor.ts";
import { type Graph, largerBindings } from "./graph.ts";

/**
 * Calls `record(start, rows)` for consecutive ranges of the outermost axis of `tensors` (all with `rows` of them), so that each
 * tensor's range fits one binding and starts 256-aligned: one call where everything fits. `granularity` keeps ranges to multiples
 * of that many rows. An empty tensor list gives one call. Throws code "memory" where the fewest rows do not fit.
 */
export function forEachWindow(
	graph: Graph,
	rows: number,
	tensors: readonly Tensor[],
	record: (start: number, rows: number) => void,
	granularity = 1,
): void {
	const step = windowRows(graph, rows, tensors, granularity);
	if (step === 0) throw tooLarge(graph, tensors, alignedRows(tensors, granularity));
	for (let start = 0; start < rows; start += step) record(start, Math.min(step, rows - start));
}

/** Rows of the windows that `forEachWindow` makes: `rows` where everything fits, 0 where not even the fewest aligned ones do. */
export function windowRows(graph: Graph, rows: number, tensors: readonly Tensor[], granularity = 1): number {
	const limit = bindingLimit(graph);
	let step = rows;
	for (const tensor of tensors) {
		const bytes = rowBytes(tensor);
		if (bytes * rows > limit) step = Math.min(step, Math.floor(limit / bytes));
	}
	// All tensors must start aligned at every multiple of the step.
	const aligned = alignedRows(tensors, granularity);
	return step < rows ? Math.floor(step / aligned) * aligned : rows;
}

/** Whether one binding can show each of these tensors; undefined ones do. */
export function allFit(graph: Graph, tensors: readonly (Tensor | undefined)[]): boolean {
	return tensors.every((tensor) => tensor === undefined || tensorBytes(tensor) <= bindingLimit(graph));
}

/** The fewest rows whose multiples are 256-aligned in all `tensors`, and multiples of `granularity`. */
export function alignedRows(tensors: readonly Tensor[], granularity = 1): number {
	return tensors.reduce((rows, tensor) => leastCommonMultiple(rows, 256 / greatestCommonDivisor(256, rowBytes(tensor))), granularity);
}

/** Rows of a matrix that one binding shows: those asked for and, so that the first is aligned, some before. */
export interface ShownRows {
	readonly tensors: readonly Tensor[];
	/** The row of the matrix that is row 0 of `tensors`. */
	readonly first: number;
}

/** Rows `start .. end` of matrices that are indexed alike, beginning at one row that is aligned in all of them. */
export function showRows(tensors: readonly Tensor[], start: number, end: number): ShownRows {
	const aligned = alignedRows(tensors);
	const first = Math.floor(start / aligned) * aligned;
	return { tensors: tensors.map((tensor) => rowsOf(tensor, first, end - first)), first };
}

/**
 * The rows of a matrix of which each holds for `rows` consecutive ones of another, as far as rows start .. start + count need them, and its
 * first column counted from them (modulo 2^32, as kernels count).
 */
export function showGroups(
	graph: Graph,
	{ tensor, rows, column = 0 }: { readonly tensor: Tensor; readonly rows: number; readonly column?: number },
	start: number,
	count: number,
): { readonly tensor: Tensor; readonly column: number } {
	if (allFit(graph, [tensor])) return { tensor, column };
	const stride = tensor.shape.at(-1) ?? 0;
	const matrix = { ...tensor, shape: [elementCount(tensor.shape) / stride, stride] };
	const { tensors, first } = showRows([matrix], Math.floor(start / rows), Math.floor((start + count - 1) / rows) + 1);
	return { tensor: tensors[0], column: column - first * stride };
}

/** The error for rows that one binding cannot show. */
export function tooLarge(graph: Graph, tensors: readonly Tensor[], rows: number): SyncHumanError {
	const [largest] = [...tensors].sort((a, b) => rowBytes(b) - rowBytes(a));
	const limit = bindingLimit(graph);
	return new SyncHumanError(
		"memory",
		`${largest.storage.label}: ${rows} rows of ${rowBytes(largest)} bytes are more than one binding can show (${limit} bytes)`,
		largerBindings,
	);
}

/** Bytes that one binding can show. */
export function bindingLimit(graph: Graph): number {
	return graph.device.report.limits.maxStorageBufferBindingSize;
}

/** Bytes of one step along a tensor's outermost axis. */
export function rowBytes(tensor: Tensor): number {
	return elementCount(tensor.shape.slice(1)) * elementBytes(tensor.dtype);
}

function greatestCommonDivisor(a: number, b: number): number {
	return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function leastCommonMultiple(a: number, b: number): number {
	return (a * b) / greatestCommonDivisor(a, b);
}

import { SyncHumanError } from "../error.ts";
import { elementBytes, elementCount, type Tensor } from "../gpu/tensor.ts";
import { type Graph, largerBindings } from "./graph.ts";

/**
 * Calls `record(start, rows)` for consecutive ranges of the outermost axis of `tensors` (all with `rows` of them), so that each
 * tensor's range fits one binding and starts 256-aligned: one call where everything fits. `granularity` keeps ranges to multiples
 * of that many rows. An empty tensor list gives one call.
 */
export function forEachWindow(
	graph: Graph,
	rows: number,
	tensors: readonly Tensor[],
	record: (start: number, rows: number) => void,
	granularity = 1,
): void {
	const limit = graph.device.report.limits.maxStorageBufferBindingSize;
	let step = rows;
	for (const tensor of tensors) {
		const rowBytes = elementCount(tensor.shape.slice(1)) * elementBytes(tensor.dtype);
		if (rowBytes * rows <= limit) continue;
		const aligned = leastCommonMultiple(256 / greatestCommonDivisor(256, rowBytes), granularity);
		const fitting = Math.floor(limit / rowBytes / aligned) * aligned;
		if (fitting === 0) {
			throw new SyncHumanError(
				"memory",
				`${tensor.storage.label}: ${aligned} rows of ${rowBytes} bytes are more than one binding can show (${limit} bytes)`,
				largerBindings,
			);
		}
		step = Math.min(step, fitting);
	}
	if (step < rows) {
		// All tensors must start aligned at every multiple of the step.
		let aligned = granularity;
		for (const tensor of tensors) {
			const rowBytes = elementCount(tensor.shape.slice(1)) * elementBytes(tensor.dtype);
			aligned = leastCommonMultiple(aligned, 256 / greatestCommonDivisor(256, rowBytes));
		}
		step = Math.max(aligned, Math.floor(step / aligned) * aligned);
	}
	for (let start = 0; start < rows; start += step) record(start, Math.min(step, rows - start));
}

function greatestCommonDivisor(a: number, b: number): number {
	return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function leastCommonMultiple(a: number, b: number): number {
	return (a * b) / greatestCommonDivisor(a, b);
}

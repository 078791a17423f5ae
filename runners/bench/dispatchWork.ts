import { tensorBytes } from "../../engine/gpu/tensor.ts";
import type { Dispatch } from "../../engine/graph/graph.ts";

/** What one kernel call computes and moves. */
export interface DispatchWork {
	/** For people: "184320 x 320 -> 960". */
	readonly shape: string;
	/** Of the mathematics, a multiplication and an addition counted as two; 0 where they are not what takes time. */
	readonly flops: number;
	/** Of all tensors bound, each once: the least that can be moved. */
	readonly bytes: number;
}

/** Reads the work of a dispatch out of its shader's name and Params. */
export function dispatchWork(dispatch: Dispatch): DispatchWork {
	const { variant, params, tensors } = dispatch;
	const bytes = tensors.reduce((sum, { tensor }) => sum + (tensor ? tensorBytes(tensor) : 0), 0);
	const of = (name: string) => Number(params[name]);
	const name = variant.shader.slice(variant.shader.lastIndexOf("/") + 1);
	const q = tensors.find((one) => one.name === "q")?.tensor;
	if (name.startsWith("matmul") && name !== "matmulPartsSum") {
		const [rows, columns, channels, taps] = ["rows", "columns", "channels", "taps"].map(of);
		const shape = `${rows} x ${channels}${taps > 1 ? ` x ${taps} taps` : ""} -> ${columns}`;
		return { shape, flops: 2 * rows * columns * channels * taps, bytes };
	}
	if (name.startsWith("attention") && "queries" in params && "keys" in params && !variant.overrides?.hasWindows && q) {
		const [sequences, heads, queries, keys] = ["sequences", "heads", "queries", "keys"].map(of);
		// Strides count vectors of the q that is bound, whichever their length.
		const headSize = (of("headVectors") * (q.shape.at(-1) ?? 0)) / of("queryStride");
		return {
			shape: `${sequences} x ${heads} heads of ${headSize}, ${queries} x ${keys}`,
			flops: 4 * sequences * heads * queries * keys * headSize,
			bytes,
		};
	}
	const written = tensors.find((one) => one.written)?.tensor;
	return { shape: written ? `-> ${written.dtype}[${written.shape.join(",")}]` : "", flops: 0, bytes };
}

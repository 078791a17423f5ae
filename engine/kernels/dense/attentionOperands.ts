import { type DType, describe, elementCount, type Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";

/** Queries, keys or values: heads * headSize columns of a matrix, so that a fused q, k, v product is read in place. */
export interface AttentionOperand {
	/** [..., width], f32 or f16: all but the last axis are rows. */
	readonly tensor: Tensor;
	/** First column used, a multiple of 4; default 0. */
	readonly column?: number | undefined;
}

/** What both attention kernels take. */
export interface AttentionOperands {
	readonly q: AttentionOperand;
	readonly k: AttentionOperand;
	readonly v: AttentionOperand;
	readonly heads: number;
	/** A multiple of 4. Head h uses columns h * headSize .. of each operand's range. */
	readonly headSize: number;
	/** Factor of the scores; default 1 / sqrt(headSize). */
	readonly scale?: number | undefined;
	/** Default: q's. */
	readonly outputDtype?: DType | undefined;
	/** Writes rows of this [rows, heads * headSize] tensor instead of a new one; rows that no query names stay as they are. */
	readonly into?: Tensor | undefined;
	readonly label?: string | undefined;
}

/** An operand as a matrix. */
export interface OperandMatrix {
	readonly tensor: Tensor;
	/** The same memory as [rows, width]. */
	readonly matrix: Tensor;
	readonly rows: number;
	readonly width: number;
	readonly column: number;
}

/** Checks widths and makes the output; shared by the attention kernels. `where` names the call in errors. */
export function checkedOperands(
	graph: Graph,
	where: string,
	request: AttentionOperands,
): { q: OperandMatrix; k: OperandMatrix; v: OperandMatrix; y: Tensor; scale: number } {
	const { heads, headSize, into } = request;
	if (!(headSize >= 4 && headSize <= 512) || headSize % 4 !== 0)
		throw new Error(`${where}: head size must be a multiple of 4 up to 512, got ${headSize}`);
	const columns = heads * headSize;
	const matrixOf = (name: string, { tensor, column = 0 }: AttentionOperand): OperandMatrix => {
		const width = tensor.shape.at(-1) ?? 0;
		if (width % 4 !== 0 || column % 4 !== 0 || column + columns > width) {
			throw new Error(`${where}: ${name} must have columns ${column} .. ${column + columns} in multiples of 4, got ${describe(tensor)}`);
		}
		const rows = elementCount(tensor.shape) / width;
		return { tensor, matrix: { ...tensor, shape: [rows, width] }, rows, width, column };
	};
	const [q, k, v] = [matrixOf("q", request.q), matrixOf("k", request.k), matrixOf("v", request.v)];
	const output = into ?? graph.tensor(request.label ?? "attention", request.outputDtype ?? q.tensor.dtype, [q.rows, columns]);
	if (output.shape.at(-1) !== columns) throw new Error(`${where}: output must be [rows, ${columns}], got ${describe(output)}`);
	const y = { ...output, shape: [elementCount(output.shape) / columns, columns] };
	return { q, k, v, y, scale: request.scale ?? 1 / Math.sqrt(headSize) };
}

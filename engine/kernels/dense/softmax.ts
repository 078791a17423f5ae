import { type DType, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";

/** Softmax over the last axis. */
export interface SoftmaxRequest {
	/** [..., columns], f32 or f16, at least one column. */
	readonly x: Tensor;
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
	readonly label?: string | undefined;
}

/** torch: F.softmax(x, -1), statistics in f32. Returns x's shape; splits into windows of rows. Attention has its own kernel. */
export function softmax(graph: Graph, request: SoftmaxRequest): Tensor {
	const { x } = request;
	const label = request.label ?? "softmax";
	const columns = x.shape.at(-1) ?? 0;
	if (columns === 0) throw new Error(`${graph.path}/${label}: x must have columns, got [${x.shape}]`);
	const rows = elementCount(x.shape) / columns;
	const y = graph.tensor(label, request.outputDtype ?? x.dtype, x.shape);
	const [flatX, flatY] = [reshape(x, [rows, columns]), reshape(y, [rows, columns])];
	forEachWindow(graph, rows, [flatX, flatY], (start, count) => {
		graph.dispatch({
			shader: "dense/softmax",
			label,
			aliases: { Input: x.dtype, Output: y.dtype },
			tensors: { x: rowsOf(flatX, start, count), y: rowsOf(flatY, start, count) },
			params: { rows: count, columns },
			workgroups: foldedWorkgroups(count),
		});
	});
	return y;
}

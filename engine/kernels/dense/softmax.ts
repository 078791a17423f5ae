import { type DType, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";

/** Softmax over the last axis. */
export interface SoftmaxRequest {
	/** [..., columns], f32 or f16, at least one column. */
	readonly x: Tensor;
	/** Positive factor of x; default 1. */
	readonly scale?: number | undefined;
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
	readonly label?: string | undefined;
}

/** torch: F.softmax(x * scale, -1), statistics in f32. Returns x's shape; splits into windows of rows. Attention of narrow heads has its own kernels. */
export function softmax(graph: Graph, request: SoftmaxRequest): Tensor {
	const { x, scale = 1 } = request;
	const label = request.label ?? "softmax";
	const columns = x.shape.at(-1) ?? 0;
	if (columns === 0) throw new Error(`${graph.path}/${label}: x must have columns, got [${x.shape}]`);
	const rows = elementCount(x.shape) / columns;
	const y = graph.tensor(label, request.outputDtype ?? x.dtype, x.shape);
	const [flatX, flatY] = [reshape(x, [rows, columns]), reshape(y, [rows, columns])];
	const lanes = columns % 4 === 0 ? 4 : 1;
	const vector = (dtype: DType) => (lanes === 4 ? `vec4<${dtype}>` : dtype);
	// A row is shared by as many threads as have something to do.
	const workgroupSize = [64, 128].find((size) => columns / lanes <= size * 4) ?? 256;
	forEachWindow(graph, rows, [flatX, flatY], (start, count) => {
		graph.dispatch({
			shader: "dense/softmax",
			label,
			aliases: { Input: vector(x.dtype), Values: vector("f32"), Output: vector(y.dtype) },
			overrides: { workgroupSize, lanes },
			tensors: { x: rowsOf(flatX, start, count), y: rowsOf(flatY, start, count) },
			params: { rows: count, columns: columns / lanes, scale: scale * Math.LOG2E },
			workgroups: foldedWorkgroups(count),
		});
	});
	return y;
}

import { type DType, describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { type ResizeMethod, resampleTable } from "./resampleTables.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/** Another size of a picture or volume. */
export interface ResizeRequest {
	/** [images, ...extent, channels], f32 or f16. */
	readonly x: Tensor;
	/** Extents of the result, as many as x has. */
	readonly extent: readonly number[];
	readonly method: ResizeMethod;
	/** Default: x's. Between axes values are f32. */
	readonly outputDtype?: DType | undefined;
	readonly label?: string | undefined;
}

/**
 * Resizes axis by axis, the last one first; torch: F.interpolate, F.adaptive_avg_pool2d/3d ("average"). Returns [images, ...extent,
 * channels]; x itself where nothing changes. Splits into windows along what lies outside the axis. Throws where extents do not fit.
 */
export function resize(graph: Graph, request: ResizeRequest): Tensor {
	const { x, extent, method } = request;
	const label = request.label ?? method;
	const axes = x.shape.length - 2;
	if (extent.length !== axes || extent.some((size) => !(size >= 1))) {
		throw new Error(`${graph.path}/${label}: extent must be ${axes} sizes for x ${describe(x)}, got [${extent}]`);
	}
	const outputDtype = request.outputDtype ?? x.dtype;
	const changed = extent.map((size, axis) => (size === x.shape[axis + 1] ? -1 : axis)).filter((axis) => axis >= 0);
	// Where only the type changes one axis is copied.
	if (changed.length === 0 && outputDtype !== x.dtype) changed.push(0);
	let current = x;
	for (const axis of changed.reverse()) {
		const last = axis === changed.at(-1);
		current = resampleAxis(graph, label, current, axis + 1, extent[axis], method, last ? outputDtype : "f32");
	}
	return current;
}

function resampleAxis(graph: Graph, label: string, x: Tensor, axis: number, extentOut: number, method: ResizeMethod, dtype: DType): Tensor {
	const extentIn = x.shape[axis];
	const outer = elementCount(x.shape.slice(0, axis));
	const inner = elementCount(x.shape.slice(axis + 1));
	const y = graph.tensor(label, dtype, [...x.shape.slice(0, axis), extentOut, ...x.shape.slice(axis + 1)]);
	const table = resampleTable(method, extentIn, extentOut);
	const key = `resample ${method} ${extentIn} to ${extentOut}`;
	const indices = graph.constant(`${key} indices`, "u32", [extentOut, table.taps], () => table.indices);
	const weights = graph.constant(`${key} weights`, "f32", [extentOut, table.taps], () => table.weights);
	const flatX = reshape(x, [outer, extentIn * inner]);
	const flatY = reshape(y, [outer, extentOut * inner]);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	const lanes = vectorLanes(inner);
	forEachWindow(graph, outer, [flatX, flatY], (start, count) => {
		const elements = (count * extentOut * inner) / lanes;
		graph.dispatch({
			shader: "dense/resample",
			label,
			aliases: { Input: vectorType(x.dtype, lanes), Values: vectorType("f32", lanes), Output: vectorType(dtype, lanes) },
			overrides: { workgroupSize },
			tensors: { x: rowsOf(flatX, start, count), indices, weights, y: rowsOf(flatY, start, count) },
			params: { elements, extentIn, extentOut, inner: inner / lanes, taps: table.taps },
			workgroups: foldedWorkgroups(Math.ceil(elements / workgroupSize)),
		});
	});
	return y;
}

/** torch F.adaptive_avg_pool2d / 3d on [images, ...extent, channels]; windows overlap where sizes do not divide. */
export function adaptiveAveragePool(graph: Graph, x: Tensor, extent: readonly number[]): Tensor {
	return resize(graph, { x, extent, method: "average", label: "adaptiveAveragePool" });
}

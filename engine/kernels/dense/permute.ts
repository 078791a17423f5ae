import { type DType, describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";

/** Another order of axes. */
export interface PermuteRequest {
	readonly x: Tensor;
	/** Looks at x as this shape first; default its own. Up to 8 axes after merging those that stay neighbours. */
	readonly view?: readonly number[] | undefined;
	/** For every output axis the axis of the view it comes from; torch: x.view(view).permute(axes). */
	readonly axes: readonly number[];
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
	readonly label?: string | undefined;
}

/**
 * A copy with permuted axes, of shape view[axes[0]], view[axes[1]] ...; f32 and f16 convert into each other. Splits into windows of
 * the output's outermost axis (but ones); x is split too where that axis is also x's outermost, and must fit one binding otherwise.
 * Throws where axes are no permutation.
 */
export function permute(graph: Graph, request: PermuteRequest): Tensor {
	const { x, axes } = request;
	const label = request.label ?? "permute";
	const view = request.view ?? x.shape;
	if (
		elementCount(view) !== elementCount(x.shape) ||
		[...axes].sort((a, b) => a - b).some((axis, i) => axis !== i) ||
		axes.length !== view.length
	) {
		throw new Error(`${graph.path}/${label}: axes [${axes}] of [${view}] are no order of ${describe(x)}`);
	}
	const shape = axes.map((axis) => view[axis]);
	const y = graph.tensor(label, request.outputDtype ?? x.dtype, shape);
	const { extents, strides } = mergedAxes(view, axes);
	if (extents.length > 8) throw new Error(`${graph.path}/${label}: [${view}] in order [${axes}] has more than 8 axes`);
	// Windows run along the first axis that is more than one long; x has windows too where it is x's first such axis.
	const axis = Math.max(
		0,
		shape.findIndex((extent) => extent > 1),
	);
	const from = axes[axis] ?? 0;
	const outer = shape[axis] ?? 1;
	const rowElements = elementCount(shape.slice(axis + 1));
	const outerStride = elementCount(view.slice(from + 1));
	const alike = outer * outerStride === elementCount(x.shape);
	const flatX = reshape(x, alike ? [outer, outerStride] : [elementCount(x.shape)]);
	const flatY = reshape(y, [outer, rowElements]);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	forEachWindow(graph, outer, alike ? [flatX, flatY] : [flatY], (start, count) => {
		graph.dispatch({
			shader: "dense/permute",
			label,
			aliases: { Input: x.dtype, Output: y.dtype },
			overrides: { workgroupSize, rank: extents.length },
			tensors: { x: alike ? rowsOf(flatX, start, count) : flatX, y: rowsOf(flatY, start, count) },
			params: {
				elements: count * rowElements,
				firstInput: alike ? 0 : start * outerStride,
				...axisParams(extents, strides),
			},
			workgroups: foldedWorkgroups(Math.ceil((count * rowElements) / workgroupSize)),
		});
	});
	return y;
}

/** Output extents and the view's strides along them, without axes of one and with axes merged that stay neighbours in order. */
export function mergedAxes(view: readonly number[], axes: readonly number[]): { extents: number[]; strides: number[] } {
	const extents: number[] = [];
	const strides: number[] = [];
	for (const axis of axes) {
		const extent = view[axis];
		const stride = elementCount(view.slice(axis + 1));
		if (extent === 1) continue;
		const last = extents.length - 1;
		if (last >= 0 && strides[last] === stride * extent) {
			extents[last] *= extent;
			strides[last] = stride;
		} else {
			extents.push(extent);
			strides.push(stride);
		}
	}
	return extents.length === 0 ? { extents: [1], strides: [0] } : { extents, strides };
}

/** Extents and strides of up to 8 axes as sourceIndex.wgsl has them in its Params: the last ones of eight. */
export function axisParams(extents: readonly number[], strides: readonly number[]): Readonly<Record<string, readonly number[]>> {
	const extent = [...new Array(8 - extents.length).fill(1), ...extents];
	const stride = [...new Array(8 - strides.length).fill(0), ...strides];
	return { extent0: extent.slice(0, 4), extent1: extent.slice(4), stride0: stride.slice(0, 4), stride1: stride.slice(4) };
}

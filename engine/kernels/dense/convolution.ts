import type { Tensor } from "../../gpu/tensor.ts";
import { describe } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { type Epilogue, matmul, type Neighbours } from "./matmul.ts";

/** Geometry of a convolution over 2 or 3 axes; arrays have one entry an axis, outermost first. */
export interface ConvolutionGeometry {
	/** Extent of the input in each axis, before upsampling. */
	readonly extent: readonly number[];
	readonly kernel: readonly number[];
	readonly stride?: number;
	/** Zeros before and after each axis; a number stands for both sides of all axes. Default 0. */
	readonly padding?: number | readonly (readonly [before: number, after: number])[];
	/** Nearest-neighbour upsampling by this factor before the convolution, fused. Default 1. */
	readonly upsample?: number;
}

/** Extents of the output. */
export function convolutionExtent(geometry: ConvolutionGeometry): number[] {
	const { extent, kernel, stride = 1, upsample = 1 } = geometry;
	return extent.map((size, axis) => {
		const [before, after] = paddingOf(geometry, axis);
		return Math.floor((size * upsample + before + after - kernel[axis]) / stride) + 1;
	});
}

function paddingOf(geometry: ConvolutionGeometry, axis: number): readonly [number, number] {
	const { padding = 0 } = geometry;
	return typeof padding === "number" ? [padding, padding] : padding[axis];
}

/**
 * For every output position (row-major) and kernel tap (row-major) the input position it reads, or -1 for padding:
 * i32 [product of output extents, product of kernel extents].
 */
export function convolutionNeighbours(geometry: ConvolutionGeometry): Int32Array<ArrayBuffer> {
	const { extent, kernel, stride = 1, upsample = 1 } = geometry;
	const out = convolutionExtent(geometry);
	// Per axis: input coordinate of (output coordinate, tap), then combine axes.
	let table: Int32Array<ArrayBuffer> = Int32Array.of(0);
	let rows = 1;
	let taps = 1;
	for (let axis = 0; axis < extent.length; axis++) {
		const [before] = paddingOf(geometry, axis);
		const next = new Int32Array(rows * out[axis] * taps * kernel[axis]);
		let write = 0;
		for (let row = 0; row < rows; row++) {
			for (let position = 0; position < out[axis]; position++) {
				for (let tap = 0; tap < taps; tap++) {
					const outer = table[row * taps + tap];
					for (let k = 0; k < kernel[axis]; k++) {
						const raw = position * stride + k - before;
						const inside = outer >= 0 && raw >= 0 && raw < extent[axis] * upsample;
						next[write++] = inside ? outer * extent[axis] + Math.floor(raw / upsample) : -1;
					}
				}
			}
		}
		table = next;
		rows *= out[axis];
		taps *= kernel[axis];
	}
	return table;
}

/** The table as a constant of the graph, one per geometry. */
function neighboursOf(graph: Graph, geometry: ConvolutionGeometry): Neighbours {
	const rows = convolutionExtent(geometry).reduce((a, b) => a * b, 1);
	const taps = geometry.kernel.reduce((a, b) => a * b, 1);
	const rowsIn = geometry.extent.reduce((a, b) => a * b, 1);
	const table = graph.constant(`convolution ${JSON.stringify(geometry)}`, "i32", [rows, taps], () => convolutionNeighbours(geometry));
	return { table, rowsIn };
}

/** A convolution over channels-last data with everything the matmul's epilogue offers. */
export interface ConvolutionRequest extends Epilogue {
	/** [images, ...extent, channels]. */
	readonly x: Tensor;
	/** [columns, ...kernel, channels]: torch's [columns, channels, ...kernel] permuted at load. */
	readonly weight: Tensor;
	readonly stride?: number;
	readonly padding?: ConvolutionGeometry["padding"];
	readonly upsample?: number;
}

/** torch F.conv2d / F.conv3d (cross-correlation) on [images, ...extent, channels]; returns [images, ...output extent, columns]. */
export function convolution(graph: Graph, request: ConvolutionRequest): Tensor {
	const { x, weight, stride, padding, upsample, ...epilogue } = request;
	const extent = x.shape.slice(1, -1);
	const kernel = weight.shape.slice(1, -1);
	if (kernel.length !== extent.length || weight.shape.at(-1) !== x.shape.at(-1)) {
		throw new Error(`${graph.path}/${request.label ?? "convolution"}: weight ${describe(weight)} does not fit x ${describe(x)}`);
	}
	const geometry: ConvolutionGeometry = {
		extent,
		kernel,
		...(stride !== undefined && { stride }),
		...(padding !== undefined && { padding }),
		...(upsample !== undefined && { upsample }),
	};
	const pointwise = kernel.every((k) => k === 1) && (stride ?? 1) === 1 && (padding ?? 0) === 0 && (upsample ?? 1) === 1;
	const y = matmul(graph, {
		label: "convolution",
		...epilogue,
		x,
		weight,
		...(!pointwise && { neighbours: neighboursOf(graph, geometry) }),
	});
	return { ...y, shape: [x.shape[0], ...convolutionExtent(geometry), y.shape.at(-1) ?? 0] };
}

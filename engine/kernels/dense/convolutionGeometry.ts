import type { Graph } from "../../graph/graph.ts";
import type { Neighbours } from "./matmulRequest.ts";

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
	/** Steps from one tap to the next. Default 1. */
	readonly dilation?: number;
}

/** Extents of the output. */
export function convolutionExtent(geometry: ConvolutionGeometry): number[] {
	const { extent, kernel, stride = 1, upsample = 1, dilation = 1 } = geometry;
	return extent.map((size, axis) => {
		const [before, after] = paddingOf(geometry, axis);
		return Math.floor((size * upsample + before + after - dilation * (kernel[axis] - 1) - 1) / stride) + 1;
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
function convolutionNeighbours(geometry: ConvolutionGeometry): Int32Array<ArrayBuffer> {
	const { extent, kernel, stride = 1, upsample = 1, dilation = 1 } = geometry;
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
						const raw = position * stride + k * dilation - before;
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
export function neighboursOf(graph: Graph, geometry: ConvolutionGeometry): Neighbours {
	const rows = convolutionExtent(geometry).reduce((a, b) => a * b, 1);
	const taps = geometry.kernel.reduce((a, b) => a * b, 1);
	const rowsIn = geometry.extent.reduce((a, b) => a * b, 1);
	const table = graph.constant(`convolution ${JSON.stringify(geometry)}`, "i32", [rows, taps], () => convolutionNeighbours(geometry));
	return { table, rowsIn };
}

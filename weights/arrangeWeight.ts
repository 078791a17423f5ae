import { float16ToFloat32, float32ToFloat16 } from "../engine/gpu/float16.ts";
import type { DType } from "../engine/gpu/tensor.ts";
import { damaged, quoted } from "./damaged.ts";
import type { StoredTensor, WeightLayout } from "./source.ts";
import { storedElements, toFloat32, toInt32 } from "./storedTensor.ts";

/** Elements as they lie on the GPU: f32, f16 (bits), i32 or u32 (bits). */
export type WeightElements = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** An array for `count` elements of a type on the GPU, filled with zeros. */
export function emptyElements(dtype: DType, count: number): WeightElements {
	return dtype === "f16" ? new Uint16Array(count) : dtype === "f32" ? new Float32Array(count) : new Int32Array(count);
}

/** Shape on the GPU of a stored shape under a layout. Throws a RangeError where view, permute or pad do not fit it. */
export function arrangedShape(storedShape: readonly number[], layout: WeightLayout): readonly number[] {
	const { view, order } = viewAndOrder(storedShape, layout);
	const shape = order.map((axis) => view[axis]);
	if (layout.padLastTo === undefined) return shape;
	const last = shape.length - 1;
	if (last < 0 || layout.padLastTo < shape[last]) throw new RangeError(`weight layout: [${shape}] cannot be padded to ${layout.padLastTo}`);
	return [...shape.slice(0, last), layout.padLastTo];
}

function viewAndOrder(storedShape: readonly number[], layout: WeightLayout) {
	const view = layout.view ?? storedShape;
	const order = layout.permute ?? view.map((_, axis) => axis);
	const product = (shape: readonly number[]) => shape.reduce((count, extent) => count * extent, 1);
	if (product(view) !== product(storedShape)) throw new RangeError(`weight layout: [${storedShape}] cannot be viewed as [${view}]`);
	if (order.length !== view.length || new Set(order).size !== view.length || order.some((axis) => !(axis in view))) {
		throw new RangeError(`weight layout: [${order}] does not permute [${view}]`);
	}
	return { view, order };
}

/**
 * The elements of a stored tensor in the type of the GPU, order unchanged. Errors of code "checkpoint" name file and tensor: NaN or
 * infinity, a float beyond 65,504 for f16, an integer beyond 32 bits, floats for integers and the reverse.
 */
export function castWeight(tensor: StoredTensor, dtype: DType, file: string, name: string): WeightElements {
	const what = `${file}: tensor ${quoted(name)}`;
	if (dtype === "i32" || dtype === "u32") {
		const integers = toInt32(tensor, what) as Int32Array<ArrayBuffer>;
		const negative = dtype === "u32" ? integers.findIndex((value) => value < 0) : -1;
		if (negative >= 0) throw damaged(what, `holds ${integers[negative]} at index ${negative}, where indices are expected`);
		return integers;
	}
	if (!["F64", "F32", "F16", "BF16"].includes(tensor.dtype))
		throw damaged(what, `holds ${tensor.dtype} where floating-point numbers are expected`);
	if (tensor.dtype === "F16") {
		const bits = storedElements(tensor) as Uint16Array<ArrayBuffer>;
		for (let i = 0; i < bits.length; i++) {
			if ((bits[i] & 0x7c00) === 0x7c00) throw notFinite(what, float16ToFloat32(bits.subarray(i, i + 1))[0], i);
		}
		return dtype === "f16" ? bits : (float16ToFloat32(bits) as Float32Array<ArrayBuffer>);
	}
	const values = toFloat32(tensor) as Float32Array<ArrayBuffer>;
	const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
	// 0x477fe000 is 65504, the largest float16; 0x7f7fffff the largest float32.
	const limit = dtype === "f16" ? 0x477fe000 : 0x7f7fffff;
	for (let i = 0; i < words.length; i++) {
		if ((words[i] & 0x7fffffff) <= limit) continue;
		if ((words[i] & 0x7fffffff) >= 0x7f800000) throw notFinite(what, values[i], i);
		throw damaged(what, `holds ${values[i]} at index ${i}, beyond the range of f16 (65504)`, "Run with --dtype f32.");
	}
	return dtype === "f16" ? (float32ToFloat16(values) as Uint16Array<ArrayBuffer>) : values;
}

function notFinite(what: string, value: number, index: number) {
	return damaged(what, `holds ${value} at index ${index}; weights must be finite`);
}

/**
 * Elements in the order of the GPU: viewed, permuted and padded with zeros as the layout says; the very same array where it says
 * nothing. torch: `F.pad(x.view(view).permute(permute), (0, padLastTo - last))`.
 */
export function arrangeElements(elements: WeightElements, storedShape: readonly number[], layout: WeightLayout): WeightElements {
	const { view, order } = viewAndOrder(storedShape, layout);
	const strides: number[] = [];
	let stride = 1;
	for (const extent of [...view].reverse()) {
		strides.unshift(stride);
		stride *= extent;
	}
	const shape = arrangedShape(storedShape, layout);
	const count = shape.reduce((product, extent) => product * extent, 1);
	const from = order.map((axis) => strides[axis]);
	const inOrder = order.map((axis) => view[axis]);
	const last = order.length - 1;
	if (count === elements.length && order.every((axis, index) => axis === index)) return elements;
	const out = emptyElements(layout.dtype, count);
	const columns = inOrder[last];
	const step = from[last];
	const index = order.map(() => 0);
	let source = 0;
	for (let row = 0; row < count; row += shape[last]) {
		if (step === 1) out.set(elements.subarray(source, source + columns) as never, row);
		else for (let column = 0; column < columns; column++) out[row + column] = elements[source + column * step];
		for (let axis = last - 1; axis >= 0; axis--) {
			index[axis]++;
			source += from[axis];
			if (index[axis] < inOrder[axis]) break;
			source -= from[axis] * inOrder[axis];
			index[axis] = 0;
		}
	}
	return out;
}

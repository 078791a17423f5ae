import { bfloat16ToFloat32, float16ToFloat32 } from "../engine/gpu/float16.ts";
import { damaged } from "./damaged.ts";
import type { StoredDType, StoredTensor } from "./source.ts";

const bytesOfDType: Readonly<Record<StoredDType, number>> = Object.freeze({
	F64: 8,
	F32: 4,
	F16: 2,
	BF16: 2,
	I64: 8,
	I32: 4,
	I16: 2,
	I8: 1,
	U8: 1,
	BOOL: 1,
});

const maxRank = 16;

/** Bytes of one element. */
export function storedElementBytes(dtype: StoredDType): number {
	return bytesOfDType[dtype];
}

/** Whether a name found in a file is an element type that can be read. */
export function isStoredDType(name: unknown): name is StoredDType {
	return typeof name === "string" && Object.hasOwn(bytesOfDType, name);
}

/**
 * Number of elements of a shape that comes out of a file: whole numbers >= 0, at most 16 of them, product below 2^53. `what` names
 * the tensor in the error.
 */
export function checkedElementCount(shape: readonly unknown[], file: string, what: string): number {
	if (shape.length > maxRank) throw damaged(file, `${what} has ${shape.length} axes; at most ${maxRank} can be read`);
	let count = 1;
	for (const extent of shape) {
		if (typeof extent !== "number" || !Number.isSafeInteger(extent) || extent < 0) {
			throw damaged(file, `${what} has the shape [${shape}]; extents must be whole numbers >= 0`);
		}
		count *= extent;
	}
	// A zero anywhere makes the product 0 (or NaN, where the others overflow): then the extents alone decide.
	if (shape.includes(0)) return 0;
	if (!Number.isSafeInteger(count * 8)) throw damaged(file, `${what} has the shape [${shape}], which is more than any file holds`);
	return count;
}

/** "[3, 4]" for messages. */
export function describeShape(shape: readonly number[]): string {
	return `[${shape.join(", ")}]`;
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
	return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** The same bytes at an address that is a multiple of `alignment`: copied only where they are not there already. */
export function alignedBytes(bytes: Uint8Array, alignment: number): Uint8Array {
	return bytes.byteOffset % alignment === 0 ? bytes : new Uint8Array(bytes);
}

/** The elements as the typed array of their type; F16 and BF16 as their bits. A view of the bytes where they are aligned. */
export function storedElements(tensor: StoredTensor) {
	const bytes = alignedBytes(tensor.bytes, bytesOfDType[tensor.dtype]);
	const at = [bytes.buffer, bytes.byteOffset, bytes.byteLength / bytesOfDType[tensor.dtype]] as const;
	switch (tensor.dtype) {
		case "F64":
			return new Float64Array(...at);
		case "F32":
			return new Float32Array(...at);
		case "F16":
		case "BF16":
			return new Uint16Array(...at);
		case "I64":
			return new BigInt64Array(...at);
		case "I32":
			return new Int32Array(...at);
		case "I16":
			return new Int16Array(...at);
		case "I8":
			return new Int8Array(...at);
		default:
			return new Uint8Array(...at);
	}
}

/** The elements as float32, whatever their type: exact for F32, F16, BF16 and small integers, rounded for F64. torch: `x.float()`. */
export function toFloat32(tensor: StoredTensor): Float32Array {
	const elements = storedElements(tensor);
	if (elements instanceof Float32Array) return elements;
	if (elements instanceof Uint16Array) return tensor.dtype === "BF16" ? bfloat16ToFloat32(elements) : float16ToFloat32(elements);
	if (elements instanceof BigInt64Array) return Float32Array.from(elements, Number);
	return Float32Array.from(elements);
}

/** The elements of an integer or boolean tensor as int32. A value that does not fit, or a float type, is an error that names `file`. */
export function toInt32(tensor: StoredTensor, file: string): Int32Array {
	const elements = storedElements(tensor);
	if (elements instanceof Int32Array) return elements;
	if (elements instanceof Float32Array || elements instanceof Float64Array || elements instanceof Uint16Array) {
		throw damaged(file, `holds ${tensor.dtype} where whole numbers are expected`);
	}
	if (!(elements instanceof BigInt64Array)) return Int32Array.from(elements);
	const outside = elements.findIndex((value) => BigInt.asIntN(32, value) !== value);
	if (outside >= 0) throw damaged(file, `holds ${elements[outside]} at index ${outside}, which does not fit 32 bits`);
	return Int32Array.from(elements, Number);
}

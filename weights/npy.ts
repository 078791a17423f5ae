import { float16ToFloat32 } from "../engine/gpu/float16.ts";
import { damaged, quoted } from "./damaged.ts";
import { alignedBytes, checkedElementCount } from "./storedTensor.ts";

// numpy/lib/format.py: "\x93NUMPY", version, header length (u16 in 1.0, u32 in 2.0 and 3.0), a Python dict as text, data.

/** Element types: numpy's kind and bytes. */
export type NpyDType = "f2" | "f4" | "f8" | "i1" | "i2" | "i4" | "i8" | "u1" | "u2" | "u4" | "u8" | "b1";

/** An array of a .npy file: little-endian, row-major whatever the file's order was. */
export interface NpyArray {
	readonly dtype: NpyDType;
	readonly shape: readonly number[];
	readonly bytes: Uint8Array;
}

const dtypes: readonly string[] = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"];
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const maxHeaderBytes = 64 * 2 ** 10;

/** Parses a .npy file, versions 1 to 3, C and Fortran order, either byte order. Errors (code "checkpoint") name `file`. */
export function readNpy(file: Uint8Array, name: string): NpyArray {
	if (file.length < 10 || magic.some((byte, index) => file[index] !== byte)) throw damaged(name, "is not a .npy file");
	const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
	const version = file[6];
	if (version < 1 || version > 3) throw damaged(name, `is a .npy file of version ${version}; 1 to 3 are read`);
	const start = version === 1 ? 10 : 12;
	if (file.length < start) throw damaged(name, "ends inside the header");
	const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
	if (headerBytes > maxHeaderBytes) throw damaged(name, `has a header of ${headerBytes} bytes; at most ${maxHeaderBytes} are read`);
	if (headerBytes > file.length - start) throw damaged(name, "ends inside the header");
	const header = parseHeader(new TextDecoder("latin1").decode(file.subarray(start, start + headerBytes)), name);
	const size = Number(header.dtype[1]);
	const count = checkedElementCount(header.shape, name, "the array");
	const data = file.subarray(start + headerBytes);
	if (data.length !== count * size) {
		throw damaged(name, `should hold ${count * size} bytes of ${header.dtype} [${header.shape.join(", ")}], and holds ${data.length}`);
	}
	const ordered = header.fortranOrder && header.shape.length > 1 ? fortranToC(data, header.shape, size) : new Uint8Array(data);
	if (header.bigEndian) swapBytes(ordered, size);
	return { dtype: header.dtype, shape: header.shape, bytes: ordered };
}

function parseHeader(text: string, name: string) {
	const wrong = () => damaged(name, `has a header that is not understood: ${quoted(text.trim(), 200)}`);
	const fields = new Map<string, string>();
	let rest = text.trim();
	if (!rest.startsWith("{") || !rest.endsWith("}")) throw wrong();
	rest = rest.slice(1, -1).trim();
	while (rest.length > 0) {
		const match = /^(['"])(\w{1,20})\1\s*:\s*('[^']{0,40}'|"[^"]{0,40}"|True|False|\([\d\s,]{0,600}\)|\[[^\]]{0,2000}\])\s*(?:,\s*|$)/.exec(
			rest,
		);
		if (match === null || fields.has(match[2])) throw wrong();
		fields.set(match[2], match[3]);
		rest = rest.slice(match[0].length);
	}
	const descr = fields.get("descr") ?? "";
	const order = fields.get("fortran_order") ?? "";
	const shape = fields.get("shape") ?? "";
	if (fields.size !== 3 || !["True", "False"].includes(order) || !/^\((?:\d{1,16}\s*(?:,\s*\d{1,16}\s*)*,?)?\s*\)$/.test(shape))
		throw wrong();
	const type = /^['"]([<>|=])(\w{2,3})['"]$/.exec(descr);
	if (type === null || !dtypes.includes(type[2])) {
		throw damaged(
			name,
			`holds elements of type ${quoted(descr)}; plain numbers and booleans are read`,
			`Save it as one of ${dtypes.join(", ")}.`,
		);
	}
	return {
		dtype: type[2] as NpyDType,
		bigEndian: type[1] === ">",
		fortranOrder: order === "True",
		shape: [...shape.matchAll(/\d+/g)].map(([digits]) => Number(digits)),
	};
}

/** Elements of a column-major array (first axis fastest) in row-major order. */
function fortranToC(data: Uint8Array, shape: readonly number[], size: number): Uint8Array {
	const out = new Uint8Array(data.length);
	const strides: number[] = [];
	let stride = size;
	for (const extent of shape) {
		strides.push(stride);
		stride *= extent;
	}
	const index = shape.map(() => 0);
	let from = 0;
	for (let to = 0; to < out.length; to += size) {
		for (let byte = 0; byte < size; byte++) out[to + byte] = data[from + byte];
		for (let axis = shape.length - 1; axis >= 0; axis--) {
			index[axis]++;
			from += strides[axis];
			if (index[axis] < shape[axis]) break;
			from -= strides[axis] * shape[axis];
			index[axis] = 0;
		}
	}
	return out;
}

function swapBytes(bytes: Uint8Array, size: number): void {
	for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

/** A .npy file, version 1.0, C order: what numpy.load reads. */
export function writeNpy(array: NpyArray): Uint8Array {
	const size = Number(array.dtype[1]);
	if (array.bytes.length !== checkedElementCount(array.shape, "writeNpy", "the array") * size) {
		throw new RangeError(`writeNpy: [${array.shape}] of ${array.dtype} does not have ${array.bytes.length} bytes`);
	}
	const shape = array.shape.length === 1 ? `(${array.shape[0]},)` : `(${array.shape.join(", ")})`;
	const text = `{'descr': '${size === 1 ? "|" : "<"}${array.dtype}', 'fortran_order': False, 'shape': ${shape}, }`;
	// Data begin at a multiple of 64; the header ends with a newline.
	const total = Math.ceil((10 + text.length + 1) / 64) * 64;
	const out = new Uint8Array(total + array.bytes.length);
	out.set(magic);
	out.set([1, 0, (total - 10) & 255, (total - 10) >> 8], 6);
	out.set(new TextEncoder().encode(`${text.padEnd(total - 11)}\n`), 10);
	out.set(array.bytes, total);
	return out;
}

/** An array over the memory of `values`, whose bytes an element must be those of `dtype` (f2 takes float16 bits). */
export function npyArray(
	dtype: NpyDType,
	shape: readonly number[],
	values: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number },
): NpyArray {
	if (values.BYTES_PER_ELEMENT !== Number(dtype[1]))
		throw new RangeError(`npyArray: ${dtype} cannot hold elements of ${values.BYTES_PER_ELEMENT} bytes`);
	return { dtype, shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

/** The elements as the typed array of their type; f2 as its bits, b1 as 0 and 1. */
export function npyElements(array: NpyArray) {
	const size = Number(array.dtype[1]);
	const bytes = alignedBytes(array.bytes, size);
	const at = [bytes.buffer, bytes.byteOffset, bytes.byteLength / size] as const;
	switch (array.dtype) {
		case "f4":
			return new Float32Array(...at);
		case "f8":
			return new Float64Array(...at);
		case "i1":
			return new Int8Array(...at);
		case "i2":
			return new Int16Array(...at);
		case "i4":
			return new Int32Array(...at);
		case "i8":
			return new BigInt64Array(...at);
		case "u4":
			return new Uint32Array(...at);
		case "u8":
			return new BigUint64Array(...at);
		case "f2":
		case "u2":
			return new Uint16Array(...at);
		default:
			return new Uint8Array(...at);
	}
}

/** The elements as float32, whatever their type. numpy: `x.astype(np.float32)`. */
export function npyToFloat32(array: NpyArray): Float32Array {
	const elements = npyElements(array);
	if (array.dtype === "f2" && elements instanceof Uint16Array) return float16ToFloat32(elements);
	if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) return Float32Array.from(elements, Number);
	return elements instanceof Float32Array ? elements : Float32Array.from(elements);
}

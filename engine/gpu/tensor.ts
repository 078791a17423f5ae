/** Element types that a tensor on the GPU can have. */
export type DType = "f32" | "f16" | "i32" | "u32";

/** Bytes of one element. */
export function elementBytes(dtype: DType): number {
	return dtype === "f16" ? 2 : 4;
}

/**
 * The memory behind one or more tensors: exactly one GPUBuffer, absent until it is allocated. A planned storage gets its buffer
 * from a graph's plan; a resident one (weights, constants, state) from whoever owns it.
 */
export interface Storage {
	readonly label: string;
	/** Bytes, a multiple of 4. */
	readonly byteLength: number;
	/** Who allocates it: "planned" storages live inside one graph and share slots by lifetime. */
	readonly kind: "planned" | "resident";
	buffer: GPUBuffer | undefined;
}

/** A dense view of a storage, row-major with the last axis fastest unless it lies in blocks. */
export interface Tensor {
	readonly dtype: DType;
	readonly shape: readonly number[];
	readonly storage: Storage;
	/** First byte of the view inside the storage; a multiple of 256 where it is bound to a kernel. */
	readonly byteOffset: number;
	/** The matrix of all rows lies in blocks of 8 rows x 32 elements (shaders/dense/blocks.wgsl), as products read it fastest. Default row by row. */
	readonly inBlocks?: boolean;
}

/** Rows and elements of a row of one block. */
export const blockRows = 8;
export const blockWidth = 32;

/** Number of elements of a shape; checked against u32, the index type of every kernel. */
export function elementCount(shape: readonly number[]): number {
	let count = 1;
	for (const extent of shape) {
		if (!Number.isInteger(extent) || extent < 0) throw new RangeError(`tensor: shape must be whole numbers >= 0, got [${shape}]`);
		count *= extent;
	}
	if (count > 0xffffffff) throw new RangeError(`tensor: [${shape}] has ${count} elements, more than a u32 can index`);
	return count;
}

/** Bytes of the view (not padded). */
export function tensorBytes(tensor: Tensor): number {
	return elementCount(tensor.shape) * elementBytes(tensor.dtype);
}

/** A tensor over a new storage without memory. Rounded up to 4 bytes, at least 4. */
export function createTensor(label: string, dtype: DType, shape: readonly number[], kind: Storage["kind"]): Tensor {
	const byteLength = Math.max(4, Math.ceil((elementCount(shape) * elementBytes(dtype)) / 4) * 4);
	return { dtype, shape: [...shape], storage: { label, byteLength, kind, buffer: undefined }, byteOffset: 0 };
}

/** The same memory under another shape with as many elements. */
export function reshape(tensor: Tensor, shape: readonly number[]): Tensor {
	if (elementCount(shape) !== elementCount(tensor.shape)) {
		throw new RangeError(`reshape: [${tensor.shape}] to [${shape}] changes the number of elements`);
	}
	if (tensor.inBlocks && shape.at(-1) !== tensor.shape.at(-1))
		throw new RangeError(`reshape: ${describe(tensor)} must keep its rows, got [${shape}]`);
	return { ...tensor, shape: [...shape] };
}

/** Rows `start .. start+rows` along the outermost axis, without a copy. The view's first byte must be 256-aligned to be bound. */
export function rowsOf(tensor: Tensor, start: number, rows: number): Tensor {
	const [outer = 1, ...rest] = tensor.shape;
	if (start < 0 || rows < 0 || start + rows > outer) {
		throw new RangeError(`rowsOf: rows ${start}..${start + rows} are outside [${tensor.shape}]`);
	}
	const rowBytes = elementCount(rest) * elementBytes(tensor.dtype);
	const width = rest.at(-1) ?? 1;
	if (tensor.inBlocks && [start, rows].some((count) => ((count * elementCount(rest)) / width) % blockRows !== 0)) {
		throw new RangeError(`rowsOf: rows ${start}..${start + rows} of ${describe(tensor)} are not whole blocks`);
	}
	return { ...tensor, shape: [rows, ...rest], byteOffset: tensor.byteOffset + start * rowBytes };
}

/** "f16[2,4096,1024]", for messages. */
export function describe(tensor: Tensor): string {
	return `${tensor.dtype}[${tensor.shape.join(",")}]${tensor.inBlocks ? " in blocks" : ""}`;
}

import type { DType, Tensor } from "../engine/gpu/tensor.ts";

/** Random access to bytes: a file, a range of an archive, a memory block. Files are opened in runners/. */
export interface ByteSource {
	/** What an error message calls it, normally the path. */
	readonly name: string;
	readonly byteLength: number;
	/** Exactly `length` bytes from `offset`; rejects when they are not all there. */
	read(offset: number, length: number): Promise<Uint8Array>;
	/** The bytes from `offset` written to `target`, all of it; where absent, `read` and a copy do the same. */
	readInto?(offset: number, target: Uint8Array): Promise<void>;
}

/** A folder of a checkpoint: names are relative with "/" as separator. */
export interface Folder {
	readonly name: string;
	/** undefined where the file does not exist. */
	open(path: string): Promise<ByteSource | undefined>;
	/** Names of the entries directly inside `path` ("" for the folder itself); empty where there is none. */
	list(path: string): Promise<readonly string[]>;
}

/** Element types found in checkpoint files. */
export type StoredDType = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** A tensor as stored: little-endian, row-major, contiguous. */
export interface StoredTensor {
	readonly dtype: StoredDType;
	readonly shape: readonly number[];
	readonly bytes: Uint8Array;
}

/** Where a stored tensor lies, little-endian, row-major, contiguous. */
export interface StoredPlace {
	readonly dtype: StoredDType;
	readonly shape: readonly number[];
	readonly source: ByteSource;
	readonly offset: number;
	readonly byteLength: number;
}

/** Where weights come from: a safetensors file, a sharded set, a torch zip, or the synthetic generator. */
export interface TensorSource {
	/** What an error message calls it. */
	readonly name: string;
	/** All tensors of the source; undefined where the source makes any tensor asked for (synthetic). */
	readonly entries: ReadonlyMap<string, { readonly dtype: StoredDType; readonly shape: readonly number[] }> | undefined;
	/** The whole tensor. `shape` is what the caller expects (synthetic sources need it, files check it). */
	read(name: string, shape: readonly number[]): Promise<StoredTensor>;
	/** Where the tensor lies, checked like `read`; undefined where it is not in one piece. Absent where nothing is stored. */
	place?(name: string, shape: readonly number[]): Promise<StoredPlace | undefined>;
	/**
	 * Makes the tensor directly on the device where that is cheaper (large synthetic tensors); false where the caller must read
	 * and upload. `target` has its buffer; element (i0, i1, ...) of the permuted tensor is stored element permuted back.
	 */
	fillOnDevice?(name: string, shape: readonly number[], layout: WeightLayout, target: Tensor): Promise<boolean>;
}

/** How a stored tensor is rearranged at load: viewed as `view` (default the stored shape), then axes permuted (default none). */
export interface WeightLayout {
	readonly view?: readonly number[];
	readonly permute?: readonly number[];
	/** Zero-pads the last axis (after permuting) to this length, so that kernels can read whole vectors. */
	readonly padLastTo?: number;
	readonly dtype: DType;
}

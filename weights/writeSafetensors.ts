import type { StoredDType } from "./source.ts";
import { checkedElementCount, storedElementBytes } from "./storedTensor.ts";

/** What a tensor of a file to be written is, before its numbers exist. */
export interface TensorDescription {
	readonly name: string;
	readonly dtype: StoredDType;
	readonly shape: readonly number[];
}

/**
 * A safetensors file as a stream of chunks: the header, then tensor by tensor what `bytesOf` gives (little-endian, row-major), so
 * that a file larger than memory can be written. Order: wide elements first, then by name, as the official writer does it, which
 * keeps every tensor aligned. Throws a RangeError where `bytesOf` gives another number of bytes than the description says.
 */
export async function* writeSafetensors(
	tensors: readonly TensorDescription[],
	bytesOf: (tensor: TensorDescription) => Uint8Array | Promise<Uint8Array>,
	metadata?: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
	const { ordered, header } = plan(tensors, metadata);
	yield header;
	for (const tensor of ordered) yield checkedBytes(tensor, await bytesOf(tensor));
}

function byteLengthOf(tensor: TensorDescription): number {
	return checkedElementCount(tensor.shape, "writeSafetensors", tensor.name) * storedElementBytes(tensor.dtype);
}

function checkedBytes(tensor: TensorDescription, bytes: Uint8Array): Uint8Array {
	if (bytes.byteLength !== byteLengthOf(tensor)) {
		throw new RangeError(`writeSafetensors: ${tensor.name} must have ${byteLengthOf(tensor)} bytes, got ${bytes.byteLength}`);
	}
	return bytes;
}

function plan(tensors: readonly TensorDescription[], metadata: Readonly<Record<string, string>> | undefined) {
	const ordered = [...tensors].sort(
		(a, b) => storedElementBytes(b.dtype) - storedElementBytes(a.dtype) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
	);
	const parts = metadata === undefined ? [] : [`"__metadata__":${JSON.stringify(metadata)}`];
	let offset = 0;
	for (const tensor of ordered) {
		const description = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, offset + byteLengthOf(tensor)] };
		parts.push(`${JSON.stringify(tensor.name)}:${JSON.stringify(description)}`);
		offset += byteLengthOf(tensor);
	}
	if (new Set(ordered.map((tensor) => tensor.name)).size !== ordered.length) throw new RangeError("writeSafetensors: a name appears twice");
	const json = new TextEncoder().encode(`{${parts.join(",")}}`);
	// Padded with spaces, so that the data begin at a multiple of 8.
	const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
	new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
	header.set(json, 8);
	return { ordered, header };
}

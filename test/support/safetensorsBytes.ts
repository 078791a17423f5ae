import type { StoredTensor } from "../../weights/source.ts";
import { storedElementBytes } from "../../weights/storedTensor.ts";

/** A safetensors file in memory, as the official writer orders it: wide elements first, then by name. */
export function safetensorsBytes(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array {
	const ordered = [...tensors].sort(
		([a, { dtype: one }], [b, { dtype: other }]) => storedElementBytes(other) - storedElementBytes(one) || (a < b ? -1 : 1),
	);
	let end = 0;
	const entries = ordered.map(([name, { dtype, shape, bytes }]) => {
		const begin = end;
		end += bytes.length;
		return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
	});
	const json = Buffer.from(`{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`);
	const padding = Buffer.alloc((8 - (json.length % 8)) % 8, " ");
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(json.length + padding.length));
	return new Uint8Array(Buffer.concat([length, json, padding, ...ordered.map(([, { bytes }]) => bytes)]));
}

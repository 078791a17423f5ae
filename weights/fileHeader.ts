import { readRange } from "./byteSource.ts";
import type { ByteSource } from "./source.ts";
import { openZip } from "./zip.ts";

/** Of a file of another kind so much counts as its header. */
const wholeBytes = 2 ** 20;

/**
 * The bytes that describe a checkpoint file, without its tensors: of a safetensors file the header with its length, of a zip (.pth, .pt)
 * names, lengths and CRC-32 of its entries, of anything else (configs) the file, up to its first MiB. Rejects with code "checkpoint".
 */
export async function readFileHeader(source: ByteSource): Promise<Uint8Array> {
	if (source.name.endsWith(".safetensors")) {
		const head = await readRange(source, 0, 8, "the header's length");
		const byteLength = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
		return readRange(source, 0, 8 + Number(byteLength), "the header");
	}
	if (/\.(pth|pt)$/.test(source.name)) {
		const { entries } = await openZip(source);
		const rows = [...entries.values()].map(({ name, byteLength, crc32 }) => [name, byteLength, crc32]);
		return new TextEncoder().encode(JSON.stringify(rows));
	}
	return readRange(source, 0, Math.min(source.byteLength, wholeBytes), "the beginning");
}

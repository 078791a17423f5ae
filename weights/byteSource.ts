import { SyncHumanError } from "../engine/error.ts";
import { damaged } from "./damaged.ts";
import type { ByteSource } from "./source.ts";

/** A block of memory as a source. `read` gives views of it, not copies. */
export function memoryByteSource(name: string, bytes: Uint8Array): ByteSource {
	return {
		name,
		byteLength: bytes.byteLength,
		read: async (offset, length) => bytes.subarray(offset, offset + length),
	};
}

/**
 * `length` bytes from `offset`, checked against the size of the source before anything is read or allocated. `what` names the part
 * in the message: "FILE: ends inside WHAT ...". Every failure is code "checkpoint".
 */
export async function readRange(source: ByteSource, offset: number, length: number, what: string): Promise<Uint8Array> {
	checkRange(source, offset, length, what);
	const bytes = await reading(source, what, () => source.read(offset, length));
	if (bytes.byteLength !== length) {
		throw damaged(source.name, `ends inside ${what}: ${bytes.byteLength} of ${length} bytes could be read`);
	}
	return bytes;
}

/** The bytes from `offset` written to `target`, all of it; checked and failing like `readRange`. */
export async function readRangeInto(source: ByteSource, offset: number, target: Uint8Array, what: string): Promise<void> {
	if (source.readInto === undefined) {
		target.set(await readRange(source, offset, target.length, what));
		return;
	}
	checkRange(source, offset, target.length, what);
	await reading(source, what, async () => source.readInto?.(offset, target));
}

function checkRange(source: ByteSource, offset: number, length: number, what: string): void {
	if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
		throw damaged(source.name, `${what} has an impossible position (${length} bytes from byte ${offset})`);
	}
	if (offset + length > source.byteLength) {
		throw damaged(source.name, `ends inside ${what}: ${length} bytes from byte ${offset} are wanted, the file has ${source.byteLength}`);
	}
}

async function reading<T>(source: ByteSource, what: string, read: () => Promise<T>): Promise<T> {
	try {
		return await read();
	} catch (cause) {
		if (cause instanceof SyncHumanError) throw cause;
		const reason = cause instanceof Error ? cause.message : String(cause);
		throw new SyncHumanError(
			"checkpoint",
			`${source.name}: reading ${what} failed: ${reason}`,
			"Check the disk and the permissions of the file.",
			{ cause },
		);
	}
}

/** The whole source as UTF-8 text, refused beyond `limit` bytes. */
export async function readText(source: ByteSource, limit: number): Promise<string> {
	if (source.byteLength > limit) throw damaged(source.name, `has ${source.byteLength} bytes; a file of this kind has at most ${limit}`);
	return decodeUtf8(await readRange(source, 0, source.byteLength, "the text"), source.name, "the file");
}

/** UTF-8 to text; anything that is not UTF-8 is an error that names `what`. */
export function decodeUtf8(bytes: Uint8Array, file: string, what: string): string {
	try {
		return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		throw damaged(file, `${what} is not UTF-8 text`);
	}
}

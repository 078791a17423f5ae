import { Inflate } from "fflate";
import { damaged } from "./damaged.ts";

const pieceBytes = 16 * 2 ** 10;
/** Deflate cannot shrink anything more than this (258 bytes from two bits). */
const maxRatio = 1032;

/**
 * Unpacks raw deflate into exactly `byteLength` bytes. Fed in pieces, so that data which unpack to more than they claim are stopped
 * after 16 MB and not after they have filled the memory.
 */
export function inflateExactly(packed: Uint8Array, byteLength: number, file: string, what: string): Uint8Array {
	if (byteLength > (packed.byteLength + 1) * maxRatio) {
		throw damaged(file, `${what} claims ${byteLength} bytes out of ${packed.byteLength} packed ones`);
	}
	const unpacked = new Uint8Array(byteLength);
	let length = 0;
	let done = false;
	const stream = new Inflate((chunk, final) => {
		if (length + chunk.length > byteLength) throw damaged(file, `${what} unpacks to more than its ${byteLength} bytes`);
		unpacked.set(chunk, length);
		length += chunk.length;
		done = final;
	});
	try {
		for (let at = 0; at < packed.length || at === 0; at += pieceBytes) {
			stream.push(packed.subarray(at, at + pieceBytes), at + pieceBytes >= packed.length);
		}
	} catch (cause) {
		if (cause instanceof Error && cause.name === "SyncHumanError") throw cause;
		throw damaged(file, `${what} cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}`);
	}
	if (!done || length !== byteLength) throw damaged(file, `${what} unpacks to ${length} bytes instead of ${byteLength}`);
	return unpacked;
}

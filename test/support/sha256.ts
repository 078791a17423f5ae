import { createHash } from "node:crypto";

/** The first 16 hex digits of the sha256 of an array's bytes. */
export function sha256(data: ArrayBufferView): string {
	return createHash("sha256")
		.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
		.digest("hex")
		.slice(0, 16);
}

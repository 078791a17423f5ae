import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** sha256 of a whole file in hexadecimal, and its length. Rejects where it cannot be read. */
export async function hashFile(path: string): Promise<{ readonly sha256: string; readonly byteLength: number }> {
	const hash = createHash("sha256");
	let byteLength = 0;
	for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 22 })) {
		hash.update(chunk);
		byteLength += chunk.length;
	}
	return { sha256: hash.digest("hex"), byteLength };
}

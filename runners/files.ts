import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ByteSource, Folder } from "../weights/source.ts";

/** A file as a source of byte ranges; every read opens and closes it, so nothing is held between reads. Rejects where there is none. */
export async function fileByteSource(path: string): Promise<ByteSource> {
	const { size } = await stat(path);
	return {
		name: path,
		byteLength: size,
		async read(offset, length) {
			const file = await open(path, "r");
			try {
				const bytes = new Uint8Array(length);
				let done = 0;
				while (done < length) {
					const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
					if (bytesRead === 0) break;
					done += bytesRead;
				}
				return bytes.subarray(0, done);
			} finally {
				await file.close();
			}
		},
	};
}

/** A directory as a checkpoint folder. It need not exist: then nothing is in it. */
export function directoryFolder(path: string): Folder {
	return {
		name: path,
		async open(name) {
			const full = join(path, name);
			const found = await stat(full).catch(absent);
			return found?.isFile() ? fileByteSource(full) : undefined;
		},
		async list(name) {
			return (await readdir(join(path, name)).catch(absent)) ?? [];
		},
	};
}

/** undefined for "no such file", so that a path can be tried; anything else is thrown on. */
function absent(error: NodeJS.ErrnoException): undefined {
	if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
	throw error;
}

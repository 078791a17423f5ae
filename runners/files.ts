import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import type { ByteSource, Folder } from "../weights/source.ts";

/** Whether there is a file at `path`, and no folder. */
export async function isFile(path: string): Promise<boolean> {
	return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** A file as a source of byte ranges; every read opens and closes it, so nothing is held between reads. Rejects where there is none. */
export async function fileByteSource(path: string): Promise<ByteSource> {
	const { size } = await stat(path);
	/** Fills `target` from `offset` as far as the file goes; how many bytes that were. */
	const fill = async (target: Uint8Array, offset: number): Promise<number> => {
		const file = await open(path, "r");
		try {
			let done = 0;
			while (done < target.length) {
				const { bytesRead } = await file.read(target, done, target.length - done, offset + done);
				if (bytesRead === 0) break;
				done += bytesRead;
			}
			return done;
		} finally {
			await file.close();
		}
	};
	return {
		name: path,
		byteLength: size,
		async read(offset, length) {
			const bytes = new Uint8Array(length);
			return bytes.subarray(0, await fill(bytes, offset));
		},
		async readInto(offset, target) {
			const done = await fill(target, offset);
			if (done !== target.length) throw new Error(`the file ends ${target.length - done} bytes early`);
		},
	};
}

/** Largest file that is read as a whole. */
const maxBytes = 2 ** 29;

/** A whole file of the user's (a picture, coordinates). Throws code "input" with `hint` where it is missing or cannot be read. */
export async function readBytes(path: string, hint: string): Promise<Uint8Array> {
	try {
		// Whatever is not a plain file (a pipe, a device) may have no end.
		const found = await stat(path);
		if (!found.isFile()) throw new SyncHumanError("input", `${path}: is not a file.`, hint);
		if (found.size > maxBytes) throw new SyncHumanError("input", `${path}: has ${found.size} bytes, more than ${maxBytes}.`, hint);
		return await readFile(path);
	} catch (error) {
		if (error instanceof SyncHumanError) throw error;
		const reason = reasons[(error as NodeJS.ErrnoException).code ?? ""] ?? `cannot be read: ${(error as Error).message}`;
		throw new SyncHumanError("input", `${path}: ${reason}.`, hint, { cause: error });
	}
}

const reasons: Readonly<Record<string, string>> = Object.freeze({
	ENOENT: "there is no such file",
	ENOTDIR: "there is no such file",
	EACCES: "no permission to read",
});

/** A directory as a checkpoint folder. It need not exist: then nothing is in it. Rejects with code "checkpoint" where it cannot be read. */
export function directoryFolder(path: string): Folder {
	return {
		name: path,
		async open(name) {
			const full = join(path, name);
			const found = await stat(full).catch(absentAt(full));
			return found?.isFile() ? fileByteSource(full) : undefined;
		},
		async list(name) {
			return (await readdir(join(path, name)).catch(absentAt(join(path, name)))) ?? [];
		},
	};
}

/** undefined for "no such file", so that a place can be tried; anything else is thrown on, with the path. */
function absentAt(path: string): (error: NodeJS.ErrnoException) => undefined {
	return (error) => {
		if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
		const reason = reasons[error.code ?? ""] ?? `cannot be read: ${error.message}`;
		throw new SyncHumanError("checkpoint", `${path}: ${reason}.`, "Check the permissions of the weights folder.", { cause: error });
	};
}

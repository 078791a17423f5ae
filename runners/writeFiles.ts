import { type FileHandle, mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { SyncHumanError } from "../engine/error.ts";

/** A file's bytes, or a stream of them. */
export type FileContent = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Writes files of one folder, which is made where it is missing, so that under its final name a file is always whole: all are
 * written and synced under temporary names first, then renamed in the given order. On an error none of them is replaced and the
 * temporary ones are removed. Throws code "disk".
 */
export async function writeFiles(folder: string, files: Iterable<readonly [name: string, content: FileContent]>): Promise<void> {
	const written: (readonly [temporary: string, path: string])[] = [];
	let current = folder;
	try {
		await makeFolder(folder);
		for (const [name, content] of files) {
			current = join(folder, name);
			const temporary = join(folder, `.${name}.${process.pid}.part`);
			written.push([temporary, current]);
			await writeSynced(temporary, content);
		}
		for (const [temporary, path] of written) {
			current = path;
			await rename(temporary, path);
		}
	} catch (error) {
		for (const [temporary] of written) await rm(temporary, { force: true }).catch(() => undefined);
		throw diskError(current, error);
	}
}

async function writeSynced(path: string, content: FileContent): Promise<void> {
	const file = await open(path, "w");
	try {
		if (content instanceof Uint8Array) await file.writeFile(content);
		else for await (const chunk of content) await file.writeFile(chunk);
		// A disk that runs full or a quota may show itself only here.
		await file.sync();
	} finally {
		await file.close();
	}
}

/**
 * Makes a folder and those above it, where they are missing. Rejects with the system's error. (Node's own recursive mkdir never ends where
 * a file system, such as /proc, says of a new folder that it does not exist.)
 */
export async function makeFolder(path: string): Promise<void> {
	try {
		await mkdir(path);
	} catch (error) {
		if (!isSystemError(error)) throw error;
		// Links to folders are folders; a root says EISDIR or EPERM.
		if (
			await stat(path).then(
				(found) => found.isDirectory(),
				() => false,
			)
		)
			return;
		const above = dirname(resolve(path));
		if (error.code !== "ENOENT" || above === resolve(path)) throw error;
		await makeFolder(above);
		await mkdir(path).catch((again) => {
			if (again.code !== "EEXIST") throw again;
		});
	}
}

/** Writes all of `piece` from byte `position` of a file on. */
export async function writeAll(file: FileHandle, piece: Uint8Array, position: number): Promise<void> {
	for (let done = 0; done < piece.length; ) done += (await file.write(piece, done, piece.length - done, position + done)).bytesWritten;
}

/** Makes a folder and writes and removes a file in it, so that a run that could not save its results never begins. Throws code "disk". */
export async function checkWritable(folder: string): Promise<void> {
	const probe = join(folder, `.synchuman.${process.pid}.part`);
	try {
		await makeFolder(folder);
		await writeSynced(probe, Uint8Array.of(0));
	} catch (error) {
		throw diskError(folder, error);
	} finally {
		await rm(probe, { force: true }).catch(() => undefined);
	}
}

/** Throws code "disk" where the disk of `folder`, which need not exist yet, has fewer than `byteLength` bytes free. */
export async function checkFreeSpace(folder: string, byteLength: number): Promise<void> {
	const free = await freeBytes(folder);
	if (free < byteLength)
		throw new SyncHumanError("disk", `${folder}: ${byteLength} bytes are needed, the disk has ${free} free.`, freeSpace);
}

/** Free bytes on the disk of `folder`, which need not exist yet. Rejects with code "disk" where that cannot be known. */
export async function freeBytes(folder: string): Promise<number> {
	let existing = resolve(folder);
	for (;;) {
		try {
			const { bavail, bsize } = await statfs(existing);
			return bavail * bsize;
		} catch (error) {
			const above = dirname(existing);
			if (!isSystemError(error) || error.code !== "ENOENT" || above === existing) throw diskError(folder, error);
			existing = above;
		}
	}
}

const freeSpace = "Free some space or choose another folder; what was finished before is kept.";

const explained: Readonly<Record<string, readonly [problem: string, hint: string]>> = Object.freeze({
	ENOSPC: ["the disk is full", freeSpace],
	EDQUOT: ["your disk quota is used up", freeSpace],
	EFBIG: ["the file is larger than the file system or ulimit allows", "Choose another folder, or raise the limit (ulimit -f)."],
	EACCES: ["no permission to write", "Choose a folder that you may write to."],
	EPERM: ["no permission to write", "Choose a folder that you may write to."],
	ENOENT: ["the folder cannot be made, or is gone", "Choose another folder."],
	EROFS: ["the file system is read-only", "Choose another folder."],
	EEXIST: ["is not a folder", "Choose another name, or move that file away."],
	ENOTDIR: ["a file is in the place of a folder", "Choose another name, or move that file away."],
	EISDIR: ["a folder is in the place of a file", "Choose another name, or move that folder away."],
	EIO: ["the disk reports an error", "Check the disk."],
});

/** An error of writing `path` as one of code "disk"; errors that are not the system's are given back as they are. */
export function diskError(path: string, error: unknown): unknown {
	if (!isSystemError(error)) return error;
	const [problem, hint] = explained[error.code] ?? [error.message, "Check the folder and the disk."];
	return new SyncHumanError("disk", `${path}: ${problem}.`, hint, { cause: error });
}

/** True for the errors of Node's file functions. */
export function isSystemError(error: unknown): error is Error & { readonly code: string } {
	return error instanceof Error && "syscall" in error && "code" in error && typeof error.code === "string";
}

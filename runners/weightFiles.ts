import { createHash } from "node:crypto";
import { join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import { readFileHeader } from "../weights/fileHeader.ts";
import type { ByteSource, Folder } from "../weights/source.ts";
import { hashFile } from "./hashFile.ts";
import { type LockedFile, readWeightsLock } from "./weightsLock.ts";

/** A file of a checkpoint as run.json names it. */
export interface WeightFile {
	/** Inside the weights folder. */
	readonly name: string;
	readonly byteLength: number;
	/** Of what describes the file: names, types, shapes and places of its tensors (weights/fileHeader.ts). */
	readonly headerSha256: string;
	/** Of the whole file, as the lock beside the weights records it for a file of this length; null where it does not. */
	readonly sha256: string | null;
}

/** Files that were opened. */
export interface WeightRecorder {
	/** The same folder; every file that is opened through it is recorded. */
	readonly folder: Folder;
	/** All files opened so far, by name. Rejects with code "checkpoint" where one can no longer be read. */
	files(): Promise<readonly WeightFile[]>;
}

/** Records which files of a checkpoint folder a run opens. Their tensors are not read: only headers are hashed. */
export function recordWeightFiles(folder: Folder): WeightRecorder {
	const opened = new Map<string, ByteSource>();
	const described = new Map<string, Promise<WeightFile>>();
	const describe = async (name: string, source: ByteSource): Promise<WeightFile> => {
		const locked = (await readWeightsLock(folder)).get(name);
		return {
			name,
			byteLength: source.byteLength,
			headerSha256: sha256Of(await readFileHeader(source)),
			sha256: locked?.byteLength === source.byteLength ? locked.sha256 : null,
		};
	};
	return {
		folder: {
			...folder,
			async open(name) {
				const source = await folder.open(name);
				if (source !== undefined) opened.set(name, source);
				return source;
			},
		},
		async files() {
			for (const [name, source] of opened) if (!described.has(name)) described.set(name, describe(name, source));
			const files = await Promise.all(described.values());
			return files.sort((a, b) => (a.name < b.name ? -1 : 1));
		},
	};
}

/** One hash over names, headers and recorded hashes of all files: equal where the weights are, as far as that is known. */
export function fingerprint(files: readonly WeightFile[]): string {
	return sha256Of(files.map(({ name, headerSha256, sha256 }) => `${name} ${headerSha256} ${sha256 ?? "-"}\n`).join(""));
}

/**
 * Hashes whole files of the weights folder at `path`, gigabytes of them: what a lock is written from and compared with. Names are inside
 * the folder; `onFile` is told each that is done. Rejects with code "checkpoint" where one cannot be read.
 */
export async function hashWeightsFolder(
	path: string,
	names: readonly string[],
	onFile?: (name: string, file: LockedFile) => void,
): Promise<ReadonlyMap<string, LockedFile>> {
	const hashed = new Map<string, LockedFile>();
	for (const name of names) {
		const file = join(path, name);
		const found = await hashFile(file).catch((error: Error) => {
			throw new SyncHumanError("checkpoint", `${file}: cannot be read: ${error.message}`, "Check the disk.", { cause: error });
		});
		hashed.set(name, found);
		onFile?.(name, found);
	}
	return hashed;
}

function sha256Of(data: Uint8Array | string): string {
	return createHash("sha256").update(data).digest("hex");
}

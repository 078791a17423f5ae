import { readText } from "../weights/byteSource.ts";
import { damaged } from "../weights/damaged.ts";
import type { Folder } from "../weights/source.ts";
import { isJsonObject, parseStrictJson } from "../weights/strictJson.ts";

/** The file beside the weights that says what their files were when they were downloaded or hashed. */
export const weightsLockName = "synchuman.lock.json";

/** What a lock says about one file. */
export interface LockedFile {
	readonly byteLength: number;
	/** Of the whole file, hexadecimal. */
	readonly sha256: string;
}

/** Files of a lock by their names inside the weights folder, with "/" as separator. */
export type WeightsLock = ReadonlyMap<string, LockedFile>;

const maxLockBytes = 2 ** 20;

/**
 * The lock of a weights folder, `{"files": {NAME: {"byteLength": N, "sha256": HEX}}}`; other keys are for others. Empty where there is
 * none. Rejects with code "checkpoint" where it is damaged.
 */
export async function readWeightsLock(folder: Folder): Promise<WeightsLock> {
	const source = await folder.open(weightsLockName);
	if (source === undefined) return new Map();
	const again = "Delete it, or let synchuman write it again.";
	const json = parseStrictJson(await readText(source, maxLockBytes), source.name);
	const files = isJsonObject(json) ? json.get("files") : undefined;
	if (!isJsonObject(files)) throw damaged(source.name, 'has no object "files"', again);
	const lock = new Map<string, LockedFile>();
	for (const [name, entry] of files) {
		const byteLength = isJsonObject(entry) ? entry.get("byteLength") : undefined;
		const sha256 = isJsonObject(entry) ? entry.get("sha256") : undefined;
		if (typeof byteLength !== "number" || typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) {
			throw damaged(source.name, `the entry "${name}" must have a byteLength and a sha256`, again);
		}
		lock.set(name, { byteLength, sha256 });
	}
	return lock;
}

import { SyncHumanError } from "../../engine/error.ts";
import { directoryFolder } from "../files.ts";
import { openWeights } from "../openWeights.ts";
import { hashWeightsFolder } from "../weightFiles.ts";
import { readWeightsLock, weightsLockName } from "../weightsLock.ts";

/** What `synchuman verify` found. */
export interface Verified {
	/** Files whose bytes are those of the lock. */
	readonly hashed: number;
	/** Whether there is a lock; without one only headers were looked at. */
	readonly locked: boolean;
}

/**
 * Looks at a weights folder without a GPU: configs, and name, type and shape of every tensor of both stages against the networks; then every
 * file against the hash in the lock. Throws code "checkpoint", naming the first file that is wrong or missing.
 */
export async function verifyWeights(folder: string, onFile: (name: string) => void): Promise<Verified> {
	await openWeights(folder, ["1", "2"]);
	const lock = await readWeightsLock(directoryFolder(folder));
	const mend = `Delete the file and run synchuman download again; if it is right, delete ${weightsLockName}.`;
	for (const [name, { byteLength, sha256 }] of lock) {
		const found = (await hashWeightsFolder(folder, [name])).get(name);
		if (found?.byteLength !== byteLength || found.sha256 !== sha256) {
			throw new SyncHumanError(
				"checkpoint",
				`${folder}/${name}: is not the file that ${weightsLockName} records (its sha256 differs).`,
				mend,
			);
		}
		onFile(name);
	}
	return { hashed: lock.size, locked: lock.size > 0 };
}

import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SyncHumanError } from "../engine/error.ts";
import { checkWritable, diskError, isSystemError } from "./writeFiles.ts";

/** In an output folder while a run writes there: which process of which machine. */
const holdName = ".synchuman.run";

/** Milliseconds between signs of life, and without one until a run counts as dead. */
const [beatMs, deadMs] = [20_000, 120_000];

/** Folders that runs of this process hold. */
const held = new Set<string>();

/** Who holds a folder. */
interface Holder {
	readonly host: string;
	readonly pid: number;
}

/**
 * Does `work` while no other run writes into `folder`, which is made where it is missing: two at once would leave files of both. What a run
 * that was killed left behind holds nobody up. Throws code "disk" where the folder cannot be written, "input" where a run is there.
 */
export async function holdFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
	await checkWritable(folder);
	const path = join(folder, holdName);
	await take(folder, path);
	held.add(path);
	// Where a sign of life fails, so will the results.
	const beating = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), beatMs).unref();
	try {
		return await work();
	} finally {
		clearInterval(beating);
		held.delete(path);
		await rm(path, { force: true }).catch(() => {});
	}
}

async function take(folder: string, path: string): Promise<void> {
	for (;;) {
		try {
			const file = await open(path, "wx");
			await file.writeFile(JSON.stringify({ host: hostname(), pid: process.pid } satisfies Holder)).finally(() => file.close());
			return;
		} catch (error) {
			if (!isSystemError(error) || error.code !== "EEXIST") throw diskError(path, error);
		}
		const holder = await livingHolder(path);
		if (holder !== undefined) {
			throw new SyncHumanError(
				"input",
				`${folder}: another run writes there (process ${holder.pid} on ${holder.host}).`,
				`Wait for it, or choose another folder; if there is none, remove ${path}.`,
			);
		}
		await rm(path, { force: true }).catch((error) => {
			throw diskError(path, error);
		});
	}
}

/** Who wrote the file at `path`, if that run still lives as far as can be seen. */
async function livingHolder(path: string): Promise<Holder | undefined> {
	try {
		// Made, and about to be written.
		if ((await stat(path)).size === 0) await delay(200);
		const { host, pid } = JSON.parse(await readFile(path, "utf8")) as Holder;
		if (Date.now() - (await stat(path)).mtimeMs > deadMs) return undefined;
		const lives = host !== hostname() || (pid === process.pid ? held.has(path) : isProcess(pid));
		return lives ? { host, pid } : undefined;
	} catch {
		// Not there any more, or never written to the end.
		return undefined;
	}
}

function isProcess(pid: number): boolean {
	try {
		// Signal 0 is none.
		process.kill(pid, 0);
		return true;
	} catch (error) {
		// EPERM: another user's.
		return isSystemError(error) && error.code === "EPERM";
	}
}

import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
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
	const key = resolve(path);
	if (held.has(key)) throw occupied(folder, path, { host: hostname(), pid: process.pid });
	held.add(key);
	try {
		await take(folder, path);
	} catch (error) {
		held.delete(key);
		throw error;
	}
	// Where a sign of life fails, so will the results.
	const beating = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), beatMs).unref();
	try {
		return await work();
	} finally {
		clearInterval(beating);
		held.delete(key);
		await rm(path, { force: true }).catch(() => {});
	}
}

async function take(folder: string, path: string): Promise<void> {
	for (;;) {
		try {
			const file = await open(path, "wx");
			try {
				await file.writeFile(JSON.stringify({ host: hostname(), pid: process.pid } satisfies Holder)).finally(() => file.close());
			} catch (error) {
				await rm(path, { force: true }).catch(() => {});
				throw error;
			}
			return;
		} catch (error) {
			if (!isSystemError(error) || error.code !== "EEXIST") throw diskError(path, error);
		}
		const holder = await livingHolder(path);
		if (holder !== undefined) throw occupied(folder, path, holder);
		await rm(path, { force: true }).catch((error) => {
			throw diskError(path, error);
		});
	}
}

function occupied(folder: string, path: string, { host, pid }: Holder): SyncHumanError {
	return new SyncHumanError(
		"input",
		`${folder}: another run writes there (process ${pid} on ${host}).`,
		`Wait for it, or choose another folder; if there is none, remove ${path}.`,
	);
}

/** Who wrote the file at `path`, if that run still lives as far as can be seen. */
async function livingHolder(path: string): Promise<Holder | undefined> {
	try {
		// Made, and about to be written.
		if ((await stat(path)).size === 0) await delay(200);
		const { host, pid } = JSON.parse(await readFile(path, "utf8")) as Holder;
		if (Date.now() - (await stat(path)).mtimeMs > deadMs) return undefined;
		// A run of this process would be among those that are held; what has its number is of one before it.
		const lives = host !== hostname() || (pid !== process.pid && isProcess(pid));
		return lives ? { host, pid } : undefined;
	} catch (error) {
		// Not there any more, or never written to the end.
		if (error instanceof SyntaxError || (isSystemError(error) && error.code === "ENOENT")) return undefined;
		throw diskError(path, error);
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

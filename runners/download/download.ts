import { copyFile, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { SyncHumanError } from "../../engine/error.ts";
import { directoryFolder } from "../files.ts";
import { hashFile } from "../hashFile.ts";
import { bytesText } from "../planText.ts";
import { type LockedFile, readWeightsLock, weightsLockName } from "../weightsLock.ts";
import { checkFreeSpace, diskError, makeFolder, writeFiles } from "../writeFiles.ts";
import { type FileSet, fileSets, type RemoteFile } from "./manifest.ts";
import type { NetworkOptions } from "./network.ts";
import { download, type Expected } from "./transfer.ts";

/** What `synchuman download` was asked to do. */
export interface DownloadRequest {
	readonly folder: string;
	readonly acceptLicences: boolean;
	/** Files at a time. */
	readonly parallel: number;
	readonly hub: string;
	/** A base URL or a folder that serves in the place of all sources. */
	readonly mirror: string | undefined;
	/** Only these sets, by name; where it is empty, all that are not optional. */
	readonly only: readonly string[];
}

/** What a download needs of its surroundings. */
export interface DownloadSurroundings {
	readonly network: NetworkOptions;
	/** Asks a person; undefined where there is none to ask. */
	readonly ask: ((question: string) => Promise<boolean>) | undefined;
	/** A line about what happens. */
	readonly say: (text: string) => void;
	/** Bytes done and in all. */
	readonly onProgress: (done: number, total: number | undefined) => void;
}

/** Below this size a file that nobody publishes a hash of is downloaded twice and compared. */
const twiceBytes = 2 ** 26;

/**
 * Downloads what is missing of the weights, each file compared with its published hash (or, where there is none, with a second download or
 * its own checksums) before it gets its name, and writes the lock. Asks nothing of the network where all is there. Throws code
 * "checkpoint", "disk", "input" or "aborted"; what has arrived is kept.
 */
export async function downloadWeights(request: DownloadRequest, surroundings: DownloadSurroundings): Promise<void> {
	const { folder, hub, only } = request;
	const { say } = surroundings;
	const local = request.mirror !== undefined && !/^https?:/.test(request.mirror) ? request.mirror : undefined;
	const mirror = local === undefined ? request.mirror : undefined;
	const all = fileSets({ hub, mirror });
	const unknown = only.find((name) => all.every((set) => set.name !== name));
	if (unknown !== undefined) {
		throw new SyncHumanError("input", `There is no set "${unknown}".`, `There are: ${all.map(({ name }) => name).join(", ")}.`);
	}
	const lock = new Map(await readWeightsLock(directoryFolder(folder)));
	const complete = await readCompleteSets(folder);
	const wanted: FileSet[] = [];
	for (const set of all) {
		if (only.length > 0 ? !only.includes(set.name) : set.optional) continue;
		if (await isComplete(folder, complete[set.name]?.files, lock)) say(`${set.name}: all there`);
		else wanted.push(set);
	}
	if (wanted.length === 0) return;
	await agree(wanted, request.acceptLicences, surroundings);
	const had =
		local === undefined
			? await fetchSets(wanted, request, lock, complete, surroundings)
			: await copyMirror(local, folder, wanted, lock, say);
	await requireLayout(folder, wanted);
	await writeLock(folder, lock, { ...complete, ...had });
}

/** Downloads what is missing of `wanted`, writing the lock after each file; what the sets now are. */
async function fetchSets(
	wanted: readonly FileSet[],
	{ folder, parallel }: DownloadRequest,
	lock: Map<string, LockedFile>,
	complete: CompleteSets,
	{ network, say, onProgress }: DownloadSurroundings,
): Promise<CompleteSets> {
	const files: RemoteFile[] = [];
	const listed: CompleteSets = {};
	for (const set of wanted) {
		const found = await set.list(network);
		files.push(...found);
		listed[set.name] = { revision: found[0]?.revision, files: found.map(({ name }) => name) };
	}
	const missing: RemoteFile[] = [];
	for (const file of files) if (!(await isThere(folder, file, lock))) missing.push(file);
	const total = missing.reduce((sum, { expected }) => sum + (expected.byteLength ?? 0), 0);
	const begun = await Promise.all(
		missing.map(({ name }) =>
			stat(join(folder, `${name}.part`)).then(
				(found) => found.size,
				() => 0,
			),
		),
	);
	await checkFreeSpace(folder, Math.max(0, total - begun.reduce((sum, size) => sum + size, 0)));
	say(`${missing.length} of ${files.length} files to get${total > 0 ? `, ${bytesText(total)}` : ""}`);

	const sized = missing.every(({ expected }) => expected.byteLength !== undefined);
	let done = 0;
	const onBytes = (count: number) => {
		done += count;
		onProgress(done, sized ? total : undefined);
	};
	const queue = [...missing].sort((a, b) => (b.expected.byteLength ?? 0) - (a.expected.byteLength ?? 0));
	const stop = new AbortController();
	const signals = [stop.signal, ...(network.signal ? [network.signal] : [])];
	let writing = Promise.resolve();
	const worker = async () => {
		for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
			const options = { ...network, signal: AbortSignal.any(signals), onBytes };
			lock.set(file.name, await downloadOnce(file, join(folder, file.name), options));
			// One writer at a time.
			writing = writing.then(() => writeLock(folder, lock, complete));
			await writing;
		}
	};
	const workers = Array.from({ length: Math.max(1, Math.min(parallel, queue.length)) }, () =>
		worker().catch((error) => {
			// One file that cannot be had stops the others; they go on where they ended next time.
			if (!stop.signal.aborted) stop.abort(error);
		}),
	);
	await Promise.all(workers);
	if (network.signal?.aborted) throw new SyncHumanError("aborted", "The download was stopped.", "Run it again: it goes on where it ended.");
	if (stop.signal.aborted) throw stop.signal.reason;
	return listed;
}

async function downloadOnce(
	{ url, expected }: RemoteFile,
	path: string,
	options: NetworkOptions & { readonly onBytes: (count: number) => void },
): Promise<LockedFile> {
	const published = expected.sha256 ?? expected.gitSha1 ?? expected.md5;
	if (published !== undefined) return download(url, path, expected, options);
	const kept = `${path}.unchecked${extname(path)}`;
	const first = await download(url, kept, expected, options);
	try {
		// Larger ones are torch files, whose own checksums were compared.
		if (first.byteLength <= twiceBytes) {
			const again: Expected = { byteLength: first.byteLength, sha256: first.sha256 };
			await download(url, `${path}.second`, again, { ...options, onBytes: () => undefined });
		}
		await rename(kept, path);
		return first;
	} catch (error) {
		await rm(kept, { force: true });
		throw diskError(path, error);
	} finally {
		await rm(`${path}.second`, { force: true });
	}
}

async function agree(sets: readonly FileSet[], accepted: boolean, { say, ask }: DownloadSurroundings): Promise<void> {
	for (const { name, what, source, licence, use } of sets) {
		say(`${name}: ${what}\n  from     ${source}\n  licence  ${licence}${use === "" ? "" : `\n           ${use}`}`);
	}
	if (accepted) return;
	if (ask === undefined) {
		throw new SyncHumanError("input", "Nobody is there to accept the licences above.", "Read them, then run again with --accept-licences.");
	}
	if (!(await ask("Download under these terms? [y/N] "))) {
		throw new SyncHumanError("input", "Nothing was downloaded.", "Answer y, or give --accept-licences.");
	}
}

/** Sets of a lock that were downloaded to the end: their files and the commit they are of. */
type CompleteSets = Record<string, { readonly revision?: string | undefined; readonly files: readonly string[] }>;

async function readCompleteSets(folder: string): Promise<CompleteSets> {
	try {
		const { sets } = JSON.parse(await readFile(join(folder, weightsLockName), "utf8"));
		return Object.fromEntries(
			Object.entries(sets ?? {}).filter(([, set]) => Array.isArray((set as { files?: unknown }).files)),
		) as CompleteSets;
	} catch {
		return {};
	}
}

/** Whether a set was downloaded to the end, and all of it still has its length, so that nobody needs to be asked. */
async function isComplete(folder: string, files: readonly string[] | undefined, lock: ReadonlyMap<string, LockedFile>): Promise<boolean> {
	for (const name of files ?? []) {
		const found = await stat(join(folder, name)).catch(() => undefined);
		if (!found?.isFile() || found.size !== lock.get(name)?.byteLength) return false;
	}
	return files !== undefined;
}

async function isThere(folder: string, { name, expected }: RemoteFile, lock: Map<string, LockedFile>): Promise<boolean> {
	const path = join(folder, name);
	const found = await stat(path).catch(() => undefined);
	if (!found?.isFile() || (expected.byteLength !== undefined && found.size !== expected.byteLength)) return false;
	const locked = lock.get(name);
	if (locked?.byteLength === found.size && (expected.sha256 === undefined || locked.sha256 === expected.sha256)) return true;
	if (expected.sha256 === undefined) return false;
	// Put there by hand: it may be the right one.
	const hashed = await hashFile(path);
	if (hashed.sha256 !== expected.sha256) return false;
	lock.set(name, hashed);
	return true;
}

async function requireLayout(folder: string, sets: readonly FileSet[]): Promise<void> {
	for (const { name, layout, source } of sets) {
		for (const file of layout) {
			const places = [file, `ckpts/${file}`];
			const found = await Promise.all(
				places.map((place) =>
					stat(join(folder, place)).then(
						() => true,
						() => false,
					),
				),
			);
			if (!found.includes(true)) {
				throw new SyncHumanError(
					"checkpoint",
					`${name}: ${file} is not among the files of ${source}.`,
					"Its layout has changed: please report it.",
				);
			}
		}
	}
}

async function writeLock(folder: string, lock: ReadonlyMap<string, LockedFile>, sets: CompleteSets): Promise<void> {
	const files = Object.fromEntries([...lock].sort(([a], [b]) => (a < b ? -1 : 1)));
	await writeFiles(folder, [[weightsLockName, new TextEncoder().encode(`${JSON.stringify({ sets, files }, undefined, 2)}\n`)]]);
}

/** A folder as mirror: copies and hashes its files of `sets`; what the sets now are. */
async function copyMirror(
	mirror: string,
	folder: string,
	sets: readonly FileSet[],
	lock: Map<string, LockedFile>,
	say: DownloadSurroundings["say"],
): Promise<CompleteSets> {
	const source = directoryFolder(mirror);
	const names: string[] = [];
	const walk = async (inside: string): Promise<void> => {
		for (const entry of await source.list(inside)) {
			const name = inside === "" ? entry : `${inside}/${entry}`;
			if ((await source.open(name)) !== undefined) names.push(name);
			else await walk(name);
		}
	};
	await walk("");
	const rootsOf = ({ layout }: FileSet) => layout.map((name) => name.split("/")[0]);
	const rootOf = (name: string) => name.replace(/^ckpts\//, "").split("/")[0];
	const roots = sets.flatMap(rootsOf);
	const published = await readWeightsLock(source);
	for (const name of names.filter((name) => roots.includes(rootOf(name)))) {
		const path = join(folder, name);
		const part = `${path}.part`;
		try {
			await makeFolder(dirname(path));
			await copyFile(join(mirror, name), part);
			const hashed = await hashFile(part);
			const expected = published.get(name);
			if (expected !== undefined && expected.sha256 !== hashed.sha256) {
				throw new SyncHumanError("checkpoint", `${join(mirror, name)}: is not what ${weightsLockName} beside it says.`, "Copy it again.");
			}
			const file = await open(part, "r+");
			await file.sync();
			await file.close();
			await rename(part, path);
			lock.set(name, hashed);
			say(`${name}: ${bytesText(hashed.byteLength)}`);
		} catch (error) {
			await rm(part, { force: true });
			throw diskError(path, error);
		}
	}
	return Object.fromEntries(sets.map((set) => [set.name, { files: names.filter((name) => rootsOf(set).includes(rootOf(name))) }]));
}

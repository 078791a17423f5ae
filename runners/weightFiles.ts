import { createHash } from "node:crypto";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { SyncHumanError } from "../engine/error.ts";
import type { Folder } from "../weights/source.ts";
import { hashFile } from "./hashFile.ts";

/** A file of a checkpoint as run.json names it. */
export interface WeightFile {
	/** Inside the weights folder. */
	readonly name: string;
	readonly byteLength: number;
	/** Of the whole file. */
	readonly sha256: string;
}

/** Files that were opened, and their hashes. */
export interface WeightRecorder {
	/** The same folder; every file that is opened through it is recorded. */
	readonly folder: Folder;
	/** All files opened so far, by name; resolves when they are hashed. Rejects with code "checkpoint" where one can no longer be read. */
	files(): Promise<readonly WeightFile[]>;
	/** Ends the worker; the process lives until then. */
	close(): void;
}

type Answer = { path: string; sha256: string; byteLength: number; problem?: undefined } | { path: string; problem: string };

/**
 * Records which files of the checkpoint folder at `path` a run opens, and hashes each of them whole: in a worker beside the run where the
 * program is bundled, since a checkpoint has gigabytes.
 */
export function recordWeightFiles(path: string, folder: Folder): WeightRecorder {
	const hashes = new Map<string, Promise<WeightFile>>();
	const hasher = import.meta.url.endsWith(".js") ? startWorker() : { hash: hashFile, close: () => undefined };
	return {
		folder: {
			...folder,
			async open(name) {
				const source = await folder.open(name);
				if (source !== undefined && !hashes.has(name)) {
					const file = join(path, name);
					const hashed = hasher.hash(file).then(
						(found) => ({ name, ...found }),
						(error) => {
							throw new SyncHumanError("checkpoint", `${file}: cannot be read: ${error.message}`, "Check the disk.", { cause: error });
						},
					);
					// Whoever asks for the files gets the error.
					hashed.catch(() => undefined);
					hashes.set(name, hashed);
				}
				return source;
			},
		},
		async files() {
			const files = await Promise.all(hashes.values());
			return files.sort((a, b) => (a.name < b.name ? -1 : 1));
		},
		close: hasher.close,
	};
}

/** One hash over names and hashes of all files: equal where the weights are. */
export function fingerprint(files: readonly WeightFile[]): string {
	const hash = createHash("sha256");
	for (const { name, sha256 } of files) hash.update(`${name} ${sha256}\n`);
	return hash.digest("hex");
}

function startWorker() {
	let worker: Worker | undefined;
	const waiting = new Map<string, (answer: Answer) => void>();
	const start = () => {
		const started = new Worker(new URL("./hashWorker.js", import.meta.url));
		started.on("message", (answer: Answer) => waiting.get(answer.path)?.(answer));
		started.on("error", (error) => {
			for (const [path, answer] of waiting) answer({ path, problem: error.message });
		});
		return started;
	};
	return {
		hash(path: string): Promise<{ readonly sha256: string; readonly byteLength: number }> {
			worker ??= start();
			return new Promise((resolve, reject) => {
				waiting.set(path, (answer) => {
					waiting.delete(path);
					if (answer.problem !== undefined) reject(new Error(answer.problem));
					else resolve({ sha256: answer.sha256, byteLength: answer.byteLength });
				});
				worker?.postMessage(path);
			});
		},
		close() {
			worker?.terminate();
		},
	};
}

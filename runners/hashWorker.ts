import { parentPort } from "node:worker_threads";
import { hashFile } from "./hashFile.ts";

// Hashes files beside the main thread: a path in, { path, sha256, byteLength } or { path, problem } out, one after the other.

let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (path: string) => {
	last = last.then(async () => {
		try {
			parentPort?.postMessage({ path, ...(await hashFile(path)) });
		} catch (error) {
			parentPort?.postMessage({ path, problem: (error as Error).message });
		}
	});
});

import { Worker } from "node:worker_threads";
import { type ErrorCode, SyncHumanError } from "../engine/error.ts";
import type { Mesh } from "../engine/mesh/mesh.ts";
import type { UnwrapOptions, UnwrapPart, UnwrappedMesh } from "../engine/mesh/unwrap.ts";

/** What the worker sends: a part begins, the result, or why there is none. */
export interface UnwrapAnswer {
	readonly part?: UnwrapPart;
	readonly unwrapped?: UnwrappedMesh;
	readonly problem?: { readonly message: string; readonly code?: ErrorCode; readonly hint?: string | undefined };
}

/** `unwrapMesh` with a way to stop it. */
export interface UnwrapInWorkerOptions extends UnwrapOptions {
	readonly signal?: AbortSignal | undefined;
	/** The bundle of unwrapWorker.ts; it lies beside the running program's. */
	readonly worker?: URL;
}

/** `unwrapMesh` on a thread of its own, so that this one stays free. Rejects as it does, and with code "aborted" when stopped. */
export async function unwrapInWorker(mesh: Mesh, options: UnwrapInWorkerOptions): Promise<UnwrappedMesh> {
	const { onProgress, signal, worker: entry = new URL("./unwrapWorker.js", import.meta.url), ...plain } = options;
	const stopped = () => new SyncHumanError("aborted", "unwrap: stopped");
	if (signal?.aborted) throw stopped();
	const worker = new Worker(entry, { workerData: { mesh, options: plain } });
	let stop: (() => void) | undefined;
	try {
		return await new Promise<UnwrappedMesh>((resolve, reject) => {
			stop = () => reject(stopped());
			signal?.addEventListener("abort", stop);
			worker.on("message", ({ part, unwrapped, problem }: UnwrapAnswer) => {
				if (part !== undefined) onProgress?.(part);
				if (unwrapped !== undefined) resolve(unwrapped);
				if (problem !== undefined) {
					const { message, code, hint } = problem;
					reject(code === undefined ? new Error(message) : new SyncHumanError(code, message, hint));
				}
			});
			worker.on("error", reject);
			worker.on("exit", (status) => reject(new Error(`unwrap: the worker ended with status ${status}`)));
		});
	} finally {
		if (stop !== undefined) signal?.removeEventListener("abort", stop);
		await worker.terminate();
	}
}

import { availableParallelism } from "node:os";
import { SyncHumanError } from "../engine/error.ts";
import type { Mesh } from "../engine/mesh/mesh.ts";
import { type UnwrapOptions, type UnwrappedMesh, unwrapMesh } from "../engine/mesh/unwrap.ts";
import { openWorkerPool, workerModule } from "./workerPool.ts";

/** `unwrapMesh`, and how it is run. */
export interface UnwrapInWorkersOptions extends Omit<UnwrapOptions, "workers"> {
	readonly signal?: AbortSignal | undefined;
	/** Threads at most; as many as there are cores, up to 16. */
	readonly threads?: number;
	/** The module of the worker. */
	readonly worker?: URL;
}

/**
 * `unwrapMesh` on other threads: the same result, however many there are. Rejects as it does, and with code "aborted" when stopped.
 */
export async function unwrapInWorkers(mesh: Mesh, options: UnwrapInWorkersOptions): Promise<UnwrappedMesh> {
	const { signal, threads = Math.min(16, availableParallelism()), worker = workerModule("unwrapWorker"), ...plain } = options;
	const stopped = () => new SyncHumanError("aborted", "unwrap: stopped");
	if (signal?.aborted) throw stopped();
	const pool = openWorkerPool(worker, threads, "unwrap");
	const stop = () => pool.fail(stopped());
	signal?.addEventListener("abort", stop);
	try {
		return await unwrapMesh(mesh, {
			...plain,
			workers: { chartPart: (chart) => pool.run({ chart }), packCharts: (pack) => pool.run({ pack }) },
		});
	} finally {
		signal?.removeEventListener("abort", stop);
		await pool.close();
	}
}

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { SyncHumanError } from "../engine/error.ts";
import type { ChartedPart } from "../engine/mesh/chartPart.ts";
import type { Mesh } from "../engine/mesh/mesh.ts";
import type { PackedCharts } from "../engine/mesh/packCharts.ts";
import { type UnwrapOptions, type UnwrappedMesh, unwrapMesh } from "../engine/mesh/unwrap.ts";
import type { UnwrapAnswer, UnwrapJob } from "./unwrapWorker.ts";

/** `unwrapMesh`, and how it is run. */
export interface UnwrapInWorkersOptions extends Omit<UnwrapOptions, "workers"> {
	readonly signal?: AbortSignal | undefined;
	/** Threads at most; as many as there are cores, up to 8. */
	readonly threads?: number;
	/** The bundle of unwrapWorker.ts; it lies beside the running program's. */
	readonly worker?: URL;
}

/**
 * `unwrapMesh` on other threads: the same result, however many there are. Rejects as it does, and with code "aborted" when stopped.
 */
export async function unwrapInWorkers(mesh: Mesh, options: UnwrapInWorkersOptions): Promise<UnwrappedMesh> {
	const {
		signal,
		threads = Math.min(8, availableParallelism()),
		worker = new URL("./unwrapWorker.js", import.meta.url),
		...plain
	} = options;
	const stopped = () => new SyncHumanError("aborted", "unwrap: stopped");
	if (signal?.aborted) throw stopped();
	const pool = openPool(worker, threads);
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

interface Waiting {
	readonly job: UnwrapJob;
	readonly resolve: (result: ChartedPart | PackedCharts) => void;
	readonly reject: (error: Error) => void;
}

/** Workers that are started as jobs come in, each with one job at a time. */
function openPool(entry: URL, threads: number) {
	const workers: Worker[] = [];
	const idle: Worker[] = [];
	const queue: Waiting[] = [];
	const running = new Map<Worker, Waiting>();
	let failure: Error | undefined;

	function fail(error: Error): void {
		failure ??= error;
		for (const { reject } of [...running.values(), ...queue]) reject(failure);
		running.clear();
		queue.length = 0;
	}

	function start(): Worker {
		const worker = new Worker(entry);
		workers.push(worker);
		worker.on("message", ({ result, problem }: UnwrapAnswer) => {
			const done = running.get(worker);
			running.delete(worker);
			if (result === undefined) done?.reject(new Error(`unwrap: ${problem}`));
			else done?.resolve(result);
			idle.push(worker);
			next();
		});
		worker.on("error", fail);
		worker.on("exit", (status) => fail(new Error(`unwrap: a worker ended with status ${status}`)));
		return worker;
	}

	function next(): void {
		const worker = queue.length === 0 ? undefined : (idle.pop() ?? (workers.length < threads ? start() : undefined));
		const waiting = worker === undefined ? undefined : queue.shift();
		if (worker === undefined || waiting === undefined) return;
		running.set(worker, waiting);
		worker.postMessage(waiting.job);
	}

	return {
		fail,
		run<Result extends ChartedPart | PackedCharts>(job: UnwrapJob): Promise<Result> {
			return new Promise<ChartedPart | PackedCharts>((resolve, reject) => {
				if (failure !== undefined) {
					reject(failure);
					return;
				}
				queue.push({ job, resolve, reject });
				next();
			}) as Promise<Result>;
		},
		async close() {
			await Promise.all(workers.map((worker) => worker.terminate()));
		},
	};
}

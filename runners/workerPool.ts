import { Worker } from "node:worker_threads";

/** What a worker sends for each job. */
export interface Answer {
	readonly result?: unknown;
	readonly problem?: string;
}

/** Threads that do jobs. */
export interface WorkerPool {
	/**
	 * Does a job on the next free thread, before all that wait where it is urgent; `moved` buffers are gone here afterwards. Rejects where it
	 * fails, or after `fail`.
	 */
	run<Result>(job: object, moved?: readonly ArrayBuffer[], isUrgent?: boolean): Promise<Result>;
	/** Starts all threads now rather than as jobs come in. */
	startAll(): void;
	/** Rejects every job, now and later. */
	fail(error: Error): void;
	close(): Promise<void>;
}

interface Waiting {
	readonly job: object;
	readonly moved: readonly ArrayBuffer[];
	readonly resolve: (result: unknown) => void;
	readonly reject: (error: Error) => void;
}

/** A worker's module: the bundle beside the running program's, or where the sources run themselves (Deno), the source. */
export function workerModule(name: string): URL {
	return new URL(`./${name}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
}

/**
 * Workers of one module that are started as jobs come in, each with one job at a time. `about` opens the messages of errors.
 */
export function openWorkerPool(entry: URL, threads: number, about: string): WorkerPool {
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
		worker.on("message", ({ result, problem }: Answer) => {
			const done = running.get(worker);
			running.delete(worker);
			if (result === undefined) done?.reject(new Error(`${about}: ${problem}`));
			else done?.resolve(result);
			idle.push(worker);
			next();
		});
		worker.on("error", fail);
		worker.on("exit", (status) => fail(new Error(`${about}: a worker ended with status ${status}`)));
		return worker;
	}

	function next(): void {
		const worker = queue.length === 0 ? undefined : (idle.pop() ?? (workers.length < threads ? start() : undefined));
		const waiting = worker === undefined ? undefined : queue.shift();
		if (worker === undefined || waiting === undefined) return;
		running.set(worker, waiting);
		worker.postMessage(waiting.job, [...waiting.moved]);
	}

	return {
		fail,
		startAll() {
			while (workers.length < threads) idle.push(start());
		},
		run<Result>(job: object, moved: readonly ArrayBuffer[] = [], isUrgent = false): Promise<Result> {
			return new Promise<unknown>((resolve, reject) => {
				if (failure !== undefined) {
					reject(failure);
					return;
				}
				if (isUrgent) queue.unshift({ job, moved, resolve, reject });
				else queue.push({ job, moved, resolve, reject });
				next();
			}) as Promise<Result>;
		},
		async close() {
			await Promise.all(workers.map((worker) => worker.terminate()));
		},
	};
}

/** A worker's side: answers every job with what `work` gives for it; `moved` names the buffers of a result that go over without a copy. */
export function answerJobs<Job>(
	port: {
		on(event: "message", listener: (job: Job) => void): unknown;
		postMessage(answer: Answer, moved: readonly ArrayBuffer[]): void;
	} | null,
	work: (job: Job) => Promise<unknown>,
	moved: (result: unknown) => readonly ArrayBuffer[] = () => [],
): void {
	port?.on("message", async (job) => {
		try {
			const result = await work(job);
			port.postMessage({ result }, moved(result));
		} catch (error) {
			port.postMessage({ problem: (error as Error).message }, []);
		}
	});
}

import { join } from "node:path";
import { HttpError } from "./httpError.ts";
import { isFinal, type JobRecord } from "./jobRecord.ts";
import type { JobStore } from "./jobStore.ts";

/** How long ended jobs are kept. */
export interface KeepLimits {
	/** Milliseconds after a job's end. */
	readonly keepMs: number;
	/** Bytes that all jobs may take together. */
	readonly keepBytes: number;
}

/** The records of all jobs, in memory and on the disk, and who watches them. */
export class JobTable {
	readonly store: JobStore;
	/** Jobs that ended since the start, by their status. */
	readonly counts = { done: 0, failed: 0, cancelled: 0 };
	readonly #log: (text: string) => void;
	readonly #jobs = new Map<string, JobRecord>();
	readonly #watchers = new Map<string, Set<() => void>>();

	private constructor(store: JobStore, log: (text: string) => void) {
		this.store = store;
		this.#log = log;
	}

	/** Reads all records. Throws code "disk". */
	static async open(store: JobStore, log: (text: string) => void): Promise<JobTable> {
		const table = new JobTable(store, log);
		const { jobs, unreadable } = await store.load();
		for (const job of jobs) table.#jobs.set(job.id, job);
		for (const id of unreadable) log(`${join(store.folder, id)}: holds no job that can be read; left as it is`);
		return table;
	}

	/** Oldest first. */
	list(): readonly JobRecord[] {
		return [...this.#jobs.values()];
	}

	/** Bytes of all jobs. */
	get byteLength(): number {
		return this.list().reduce((sum, job) => sum + job.byteLength, 0);
	}

	/** Throws code "not-found". */
	get(id: string): JobRecord {
		const job = this.#jobs.get(id);
		if (job === undefined) throw new HttpError("not-found", "There is no such job.", "Results are kept for a time, then removed.");
		return job;
	}

	/** Adds a job with its picture, on the disk first. Throws code "disk". */
	async add(job: JobRecord, picture: Uint8Array | undefined): Promise<void> {
		try {
			await this.store.create(job, picture);
		} catch (error) {
			await this.store.remove(job.id).catch(() => undefined);
			throw error;
		}
		this.#jobs.set(job.id, job);
	}

	/**
	 * Changes a record and tells its watchers. A job's end is on the disk before it is told, so that no kill takes it back; a disk that cannot
	 * take it is logged, so that it is told all the same.
	 */
	async change(id: string, changes: Partial<JobRecord>): Promise<void> {
		const changed = () => ({ ...this.get(id), ...changes });
		const save = (job: JobRecord) => this.store.save(job).catch((error) => this.#log(`job ${id}: ${error.message}`));
		const ends = isFinal(changed()) && !isFinal(this.get(id));
		if (ends) await save(changed());
		const job = changed();
		this.#jobs.set(id, job);
		if (ends) this.counts[job.status as keyof typeof this.counts]++;
		else await save(job);
		this.tell(id);
	}

	/** Removes a job and its files. Throws code "conflict" where another one goes on from it. */
	async remove(id: string): Promise<void> {
		if (this.#isSource(id)) throw new HttpError("conflict", "Another job goes on from this one.", "Wait for it, or cancel it first.");
		this.#jobs.delete(id);
		await this.store.remove(id).catch((error) => this.#log(`job ${id} could not be removed: ${error.message}`));
		this.tell(id);
	}

	/** Removes ended jobs that are kept longer than their time, then the oldest until all fit. */
	async evict({ keepMs, keepBytes }: KeepLimits): Promise<void> {
		const endOf = (job: JobRecord) => Date.parse(job.finishedAt ?? job.createdAt);
		const ended = this.list().filter(isFinal);
		let bytes = this.byteLength;
		for (const job of ended.sort((a, b) => endOf(a) - endOf(b))) {
			if (Date.now() - endOf(job) <= keepMs && bytes <= keepBytes) continue;
			// Meanwhile another job may go on from it, or a client have removed it.
			if (!this.#jobs.has(job.id) || this.#isSource(job.id)) continue;
			bytes -= job.byteLength;
			await this.remove(job.id);
		}
	}

	/** Calls back after every change of a job, until the returned function is called. */
	watch(id: string, changed: () => void): () => void {
		const watchers = this.#watchers.get(id) ?? new Set();
		this.#watchers.set(id, watchers.add(changed));
		return () => {
			watchers.delete(changed);
			if (watchers.size === 0) this.#watchers.delete(id);
		};
	}

	/** Calls the watchers of a job. */
	tell(id: string): void {
		for (const changed of [...(this.#watchers.get(id) ?? [])]) changed();
	}

	/** Resolves after the next change of a job, at the latest after `ms`, or once `signal` is aborted. */
	changed(id: string, signal: AbortSignal, ms?: number): Promise<void> {
		return new Promise((resolve) => {
			const wake = () => {
				clearTimeout(timer);
				signal.removeEventListener("abort", wake);
				stop();
				resolve();
			};
			const stop = this.watch(id, wake);
			const timer = ms === undefined ? undefined : setTimeout(wake, ms);
			signal.addEventListener("abort", wake);
			if (signal.aborted) wake();
		});
	}

	#isSource(id: string): boolean {
		return this.list().some((job) => job.source === id && !isFinal(job));
	}
}

import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../../engine/stages/part.ts";
import { type ErrorReport, errorReport, HttpError } from "./httpError.ts";
import { isFinal, type JobNow, type JobOptions, type JobRecord, type JobStatus } from "./jobRecord.ts";
import { uploadName } from "./jobStore.ts";
import type { JobTable, KeepLimits } from "./jobTable.ts";
import type { JobWorker, RunEvent } from "./worker.ts";
import type { EngineChoice } from "./workerMessages.ts";

/** Bounds of a queue. */
export interface QueueLimits extends KeepLimits {
	/** Jobs that wait at most, uploads that are being received included. */
	readonly waiting: number;
	/** Milliseconds that one job may run. */
	readonly runMs: number;
}

/** What a new job is made from. */
export interface NewJob {
	readonly options: JobOptions;
	readonly picture: Uint8Array | undefined;
	readonly source: string | undefined;
	readonly alphaCoverage: number | undefined;
}

/** What a queue works with. */
export interface QueueParts {
	readonly table: JobTable;
	readonly worker: JobWorker;
	readonly engine: EngineChoice;
	readonly limits: QueueLimits;
	readonly log: (text: string) => void;
}

/** The job that runs. */
interface Running {
	readonly id: string;
	readonly controller: AbortController;
	/** Why it was told to stop. */
	why: "cancel" | "timeout" | "shutdown" | undefined;
	progress: Progress | null;
}

/** Milliseconds after which a job that was told to stop loses its process: longer than any step. */
const stopMs = 120_000;

/** What a job's record says where the server ended beneath it. */
function interrupted(stageOneKept: boolean): ErrorReport {
	const goOn = "Its stage 1 is kept: POST /generate with stage=stage2 and job_id goes on from there.";
	return {
		code: "interrupted",
		message: "The server ended in the middle of this job.",
		hint: stageOneKept ? goOn : "Send the picture again.",
	};
}

/**
 * The jobs of one worker: one runs, a bounded number waits, ended ones are kept for a time. A job that waited when the server ended waits
 * again after `open`; one that ran goes on from its stage 1 where the server was told to end, and is marked as broken where it was killed.
 */
export class JobQueue {
	readonly table: JobTable;
	readonly limits: QueueLimits;
	/** Seconds that jobs ran, all together. */
	runSeconds = 0;
	readonly #worker: JobWorker;
	readonly #engine: EngineChoice;
	readonly #log: (text: string) => void;
	readonly #waiting: string[] = [];
	/** Of the last runs, newest last. */
	readonly #seconds: number[] = [];
	#running: Running | undefined;
	#killer: NodeJS.Timeout | undefined;
	#reserved = 0;
	#closing = false;
	#idle: Promise<void> = Promise.resolve();

	private constructor({ table, worker, engine, limits, log }: QueueParts) {
		this.table = table;
		this.limits = limits;
		this.#worker = worker;
		this.#engine = engine;
		this.#log = log;
	}

	/** Takes up what the table holds, and begins. */
	static async open(parts: QueueParts): Promise<JobQueue> {
		const queue = new JobQueue(parts);
		const { table } = parts;
		for (const { id, status } of table.list()) {
			if (status === "queued") queue.#waiting.push(id);
			if (status !== "running") continue;
			const found = await queue.#found(id);
			await table.change(id, { ...found, status: "failed", finishedAt: now(), error: interrupted(found.stageOneKept) });
		}
		await table.evict(parts.limits);
		queue.#next();
		return queue;
	}

	/** Jobs that wait. */
	get waiting(): number {
		return this.#waiting.length;
	}

	get busy(): boolean {
		return this.#running !== undefined;
	}

	/** Mean of the last runs; undefined before the first. */
	get meanSeconds(): number | undefined {
		return this.#seconds.length === 0 ? undefined : this.#seconds.reduce((sum, value) => sum + value, 0) / this.#seconds.length;
	}

	/** Where a job stands at this moment. */
	now(id: string): JobNow {
		const place = this.#waiting.indexOf(id);
		const running = this.#running?.id === id ? this.#running : undefined;
		return { position: place < 0 ? null : place + 1, progress: running?.progress ?? null, stopping: running?.why !== undefined };
	}

	/**
	 * Holds a place in the queue before an upload is read, so that what is being received is bounded too; the returned function gives it back,
	 * also after `add`. Throws code "busy".
	 */
	reserve(): () => void {
		if (this.#closing) throw new HttpError("busy", "The server is about to end.", "Try again in a minute.", 60);
		if (this.#waiting.length + this.#reserved >= this.limits.waiting) {
			const seconds = Math.ceil(Math.min(3600, Math.max(1, this.meanSeconds ?? 30)));
			throw new HttpError(
				"busy",
				`The queue is full: ${this.limits.waiting} jobs wait.`,
				"Try again after the seconds in Retry-After.",
				seconds,
			);
		}
		this.#reserved++;
		let held = true;
		return () => {
			if (held) this.#reserved--;
			held = false;
		};
	}

	/** Puts a job at the end of the queue. Throws code "disk". */
	async add({ options, picture, source, alphaCoverage }: NewJob): Promise<JobRecord> {
		const job: JobRecord = {
			id: randomUUID().replaceAll("-", ""),
			status: "queued",
			options,
			source: source ?? null,
			alphaCoverage: alphaCoverage ?? null,
			createdAt: now(),
			startedAt: null,
			finishedAt: null,
			stageOneKept: false,
			files: [],
			byteLength: picture?.length ?? 0,
			figures: null,
			error: null,
		};
		await this.table.add(job, picture);
		this.#waiting.push(job.id);
		this.#next();
		return job;
	}

	/** Cancels a job that waits, stops one that runs after its step, removes one that has ended. Throws codes "not-found", "conflict". */
	async remove(id: string): Promise<"cancelled" | "stopping" | "removed"> {
		const job = this.table.get(id);
		if (this.#running?.id === id && !isFinal(job)) {
			this.#stop("cancel");
			return "stopping";
		}
		const place = this.#waiting.indexOf(id);
		if (place >= 0) {
			this.#waiting.splice(place, 1);
			await rm(join(this.table.store.folderOf(id), uploadName), { force: true });
			await this.table.change(id, { status: "cancelled", finishedAt: now(), byteLength: 0 });
			for (const other of this.#waiting) this.table.tell(other);
			return "cancelled";
		}
		if (!isFinal(job)) throw new HttpError("conflict", "The job is being cancelled already.");
		await this.table.remove(id);
		return "removed";
	}

	/**
	 * Begins nothing more and lets the running job end within `graceMs`; then it is stopped after its step and goes on from its stage 1 when
	 * the server starts again. Jobs that wait stay on the disk.
	 */
	async close(graceMs: number): Promise<void> {
		this.#closing = true;
		const timer = setTimeout(() => this.#stop("shutdown"), graceMs);
		await this.#idle;
		clearTimeout(timer);
	}

	#stop(why: Running["why"]): void {
		if (this.#running === undefined) return;
		if (this.#running.why === undefined) {
			const { id } = this.#running;
			this.#running.why = why;
			this.#killer = setTimeout(() => {
				this.#log(`job ${id}: does not stop; its process is ended`);
				void this.#worker.close();
			}, stopMs).unref();
		}
		this.#running.controller.abort();
		this.table.tell(this.#running.id);
	}

	#next(): void {
		if (this.#running !== undefined || this.#closing) return;
		const id = this.#waiting.shift();
		if (id === undefined) return;
		this.#running = { id, controller: new AbortController(), why: undefined, progress: null };
		this.#idle = this.#run(this.#running).finally(() => {
			this.#running = undefined;
			this.table.tell(id);
			for (const other of this.#waiting) this.table.tell(other);
			this.#next();
		});
	}

	async #run(running: Running): Promise<void> {
		const { id, controller } = running;
		const { table } = this;
		const job = table.get(id);
		const folder = table.store.folderOf(id);
		const goesOn = job.stageOneKept && job.options.stage === "both";
		const image = job.source !== null ? join(table.store.folderOf(job.source), "stage1") : goesOn ? undefined : join(folder, uploadName);
		let figures = job.figures;
		const onEvent = ({ event, ...fields }: RunEvent) => {
			if (event === "progress") running.progress = fields as unknown as Progress;
			if (event === "result") figures = { ...fields, files: undefined };
			// Where a stage begins, the files of the one before are there.
			if (event === "plan") void this.#refresh(running);
			else table.tell(id);
		};
		await table.change(id, { status: "running", startedAt: now() });
		const started = performance.now();
		const timer = setTimeout(() => this.#stop("timeout"), this.limits.runMs);
		let end: Partial<JobRecord>;
		try {
			const options = { ...job.options, ...this.#engine, image, output: folder, json: true, ...(goesOn && { stage: "2" as const }) };
			await this.#worker.run(options, { signal: controller.signal, onEvent });
			end = { status: "done", error: null };
			const seconds = (performance.now() - started) / 1000;
			this.#seconds.splice(0, this.#seconds.length - 7, ...this.#seconds.slice(-7), seconds);
		} catch (error) {
			end = this.#ended(running, error);
		}
		clearTimeout(timer);
		clearTimeout(this.#killer);
		this.runSeconds += (performance.now() - started) / 1000;
		if (end.status !== "queued") await rm(join(folder, uploadName), { force: true }).catch(() => undefined);
		await table.change(id, { ...(await this.#found(id)), figures, finishedAt: end.status === "queued" ? null : now(), ...end });
		await table.evict(this.limits);
	}

	/** How a run that did not succeed is recorded. */
	#ended({ id, why }: Running, error: unknown): { status: JobStatus; error: ErrorReport | null } {
		if (why === "cancel") return { status: "cancelled", error: null };
		// It waits again, and goes on after the next start.
		if (why === "shutdown") return { status: "queued", error: null };
		if (why === "timeout") {
			const message = `The job ran longer than ${Math.round(this.limits.runMs / 1000)} s.`;
			return { status: "failed", error: { code: "timeout", message, hint: "Ask for fewer steps." } };
		}
		const report = errorReport(error, this.table.store.folder);
		if (report.code === "internal") this.#log(`job ${id}: ${error instanceof Error ? error.stack : error}`);
		return { status: "failed", error: report };
	}

	/** Shows what a running job has written so far. */
	async #refresh(running: Running): Promise<void> {
		const found = await this.#found(running.id);
		if (this.#running === running && !running.controller.signal.aborted) await this.table.change(running.id, found);
	}

	/** What the disk holds of a job. */
	async #found(id: string): Promise<Pick<JobRecord, "files" | "byteLength" | "stageOneKept">> {
		const { files, byteLength } = await this.table.store.files(id);
		return { files, byteLength, stageOneKept: files.includes("stage1/latent.npz") };
	}
}

function now(): string {
	return new Date().toISOString();
}

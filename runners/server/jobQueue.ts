import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../../engine/stages/part.ts";
import { type ErrorReport, errorReport, HttpError } from "./httpError.ts";
import type { JobEnd, JobLine, JobTask } from "./jobLine.ts";
import { isFinal, type JobNow, type JobRecord, type NewJob, newJobRecord } from "./jobRecord.ts";
import { uploadName } from "./jobStore.ts";
import type { JobTable, KeepLimits } from "./jobTable.ts";
import { viewsOf } from "./viewsEvent.ts";
import type { RunEvent } from "./worker.ts";

/** Bounds of a queue. */
export interface QueueLimits extends KeepLimits {
	/** Jobs that wait at most, uploads that are being received included. */
	readonly waiting: number;
	/** Milliseconds that one job may run. */
	readonly runMs: number;
}

/** What a queue works with. */
export interface QueueParts {
	readonly table: JobTable;
	readonly line: JobLine;
	readonly limits: QueueLimits;
	readonly log: (text: string) => void;
}

/** A job that waits or runs. */
interface Run {
	readonly id: string;
	readonly controller: AbortController;
	/** When it began; undefined while it waits. */
	started: number | undefined;
	timer: NodeJS.Timeout | undefined;
	/** Why it was told to stop. */
	why: "cancel" | "timeout" | undefined;
	/** What is told of it while it runs. */
	shown: Pick<JobNow, "progress" | "views">;
	figures: JobRecord["figures"];
	/** Settles once its end is recorded. */
	over: Promise<void>;
}

/** Milliseconds that DELETE waits to learn whether a job still waited. */
const answerMs = 2000;

const nothing = { progress: null, views: null };

/** What a job's record says where the server or the workers ended beneath it. */
function interrupted(message: string, stageOneKept: boolean): ErrorReport {
	const goOn = "Its stage 1 is kept: POST /generate with stage=stage2 and job_id goes on from there.";
	return { code: "interrupted", message, hint: stageOneKept ? goOn : "Send the picture again." };
}

/**
 * The jobs of a server: a line runs them, a bounded number waits, ended ones are kept for a time. A job that waited when the server ended
 * waits again after `begin`; one that ran goes on from its stage 1 where the server was told to end, is found again where workers outlive the
 * server, and is otherwise marked as broken.
 */
export class JobQueue {
	readonly table: JobTable;
	readonly limits: QueueLimits;
	/** Seconds that jobs ran, all together. */
	runSeconds = 0;
	readonly #line: JobLine;
	readonly #log: (text: string) => void;
	/** Oldest first. */
	readonly #runs = new Map<string, Run>();
	/** Of the last runs, newest last. */
	readonly #seconds: number[] = [];
	#reserved = 0;
	#closing = false;

	constructor({ table, line, limits, log }: QueueParts) {
		this.table = table;
		this.limits = limits;
		this.#line = line;
		this.#log = log;
	}

	/** Takes up what the table holds. */
	async begin(): Promise<void> {
		const { table } = this;
		for (const { id, status } of table.list()) {
			if (status === "queued" || (status === "running" && this.#line.outlivesServer)) await this.#enter(id);
			else if (status === "running") {
				const found = await this.#found(id);
				const error = interrupted("The server ended in the middle of this job.", found.stageOneKept);
				await table.change(id, { ...found, status: "failed", finishedAt: now(), error });
			}
		}
		await table.evict(this.limits);
	}

	/** Jobs that wait. */
	get waiting(): number {
		return this.#waiting().length;
	}

	/** Jobs that run. */
	get running(): number {
		return this.#runs.size - this.waiting;
	}

	/** Mean of the last runs; undefined before the first. */
	get meanSeconds(): number | undefined {
		return this.#seconds.length === 0 ? undefined : this.#seconds.reduce((sum, value) => sum + value, 0) / this.#seconds.length;
	}

	/** Where a job stands at this moment. */
	now(id: string): JobNow {
		const run = this.#runs.get(id);
		const place = this.#waiting().findIndex((one) => one.id === id);
		return { position: place < 0 ? null : place + 1, ...(run?.shown ?? nothing), stopping: run?.why !== undefined };
	}

	/**
	 * Holds a place in the queue before an upload is read, so that what is being received is bounded too; the returned function gives it back,
	 * also after `add`. Throws code "busy".
	 */
	reserve(): () => void {
		if (this.#closing) throw new HttpError("busy", "The server is about to end.", "Try again in a minute.", 60);
		if (this.waiting + this.#reserved >= this.limits.waiting) {
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

	/** Puts a job at the end of the queue. Throws codes "disk", and "unavailable" where the line cannot take it. */
	async add(asked: NewJob): Promise<JobRecord> {
		const job = newJobRecord(asked);
		await this.table.add(job, asked.picture);
		try {
			await this.#enter(job.id);
		} catch (error) {
			await this.table.remove(job.id);
			throw error;
		}
		return job;
	}

	/** Cancels a job that waits, stops one that runs after its step, removes one that has ended. Throws codes "not-found", "conflict". */
	async remove(id: string): Promise<"cancelled" | "stopping" | "removed"> {
		const job = this.table.get(id);
		const run = this.#runs.get(id);
		if (run !== undefined && !isFinal(job)) {
			const waited = run.started === undefined;
			this.#stop(run, "cancel");
			if (!waited) return "stopping";
			// A worker may be taking it in this moment.
			await Promise.race([run.over, new Promise((resolve) => setTimeout(resolve, answerMs).unref())]);
			return this.#runs.has(id) ? "stopping" : "cancelled";
		}
		await this.table.remove(id);
		return "removed";
	}

	/** Begins nothing more, and lets what runs in this process end within `graceMs`; what has not ended stays on the disk for the next start. */
	async close(graceMs: number): Promise<void> {
		this.#closing = true;
		await this.#line.close(graceMs);
		await Promise.all([...this.#runs.values()].map(({ over }) => over));
	}

	#waiting(): readonly Run[] {
		return [...this.#runs.values()].filter(({ started }) => started === undefined);
	}

	#stop(run: Run, why: Run["why"]): void {
		run.why ??= why;
		run.controller.abort();
		this.table.tell(run.id);
	}

	/** Gives a job to the line, and follows it. */
	async #enter(id: string): Promise<void> {
		const { figures } = this.table.get(id);
		const none = { started: undefined, timer: undefined, why: undefined, shown: nothing };
		const run: Run = { id, controller: new AbortController(), ...none, figures, over: Promise.resolve() };
		this.#runs.set(id, run);
		try {
			const { ended } = await this.#line.put(id, {
				task: () => this.#task(id),
				signal: run.controller.signal,
				onStart: () => this.#started(run),
				onReturn: () => this.#returned(run),
				onEvent: (event) => this.#happened(run, event),
			});
			run.over = this.#followed(run, ended);
		} catch (error) {
			this.#runs.delete(id);
			throw error;
		}
	}

	#task(id: string): JobTask {
		const { store } = this.table;
		const { options, source, stageOneKept } = this.table.get(id);
		const goesOn = stageOneKept && options.stage === "both";
		const from = source ?? (goesOn ? id : undefined);
		return { folder: store.folderOf(id), options, stageOneFolder: from === undefined ? undefined : store.folderOf(from) };
	}

	#started(run: Run): void {
		if (run.started !== undefined) return;
		run.started = performance.now();
		run.timer = setTimeout(() => this.#stop(run, "timeout"), this.limits.runMs);
		void this.table.change(run.id, { status: "running", startedAt: now() });
		this.#tellWaiting();
	}

	#returned(run: Run): void {
		if (run.started === undefined) return;
		clearTimeout(run.timer);
		Object.assign(run, { started: undefined, shown: nothing });
		this.#log(`job ${run.id}: its worker has gone; it waits again`);
		void this.table.change(run.id, { status: "queued", startedAt: null });
		this.#tellWaiting();
	}

	#happened(run: Run, { event, ...fields }: RunEvent): void {
		if (event === "views") run.shown = { ...run.shown, views: viewsOf(fields) };
		if (event === "progress") run.shown = { ...run.shown, progress: fields as unknown as Progress };
		if (event === "result") run.figures = { ...fields, files: undefined };
		// Where a stage begins, the files of the one before are there.
		if (event === "plan") void this.#refresh(run);
		else this.table.tell(run.id);
	}

	/** Records a job's end. */
	async #followed(run: Run, ended: Promise<JobEnd>): Promise<void> {
		const { id } = run;
		const { table } = this;
		let error: unknown;
		const end = await ended.catch((reason) => {
			error = reason;
			return "failed" as const;
		});
		clearTimeout(run.timer);
		const seconds = run.started === undefined ? 0 : (performance.now() - run.started) / 1000;
		this.runSeconds += seconds;
		if (end === "done") this.#seconds.splice(0, this.#seconds.length - 7, ...this.#seconds.slice(-7), seconds);
		// Where the line goes on without the server, its record says so until the next start.
		if (end !== "left") {
			await rm(join(table.store.folderOf(id), uploadName), { force: true }).catch(() => undefined);
			const found = await this.#found(id);
			const how = end === "done" ? { status: "done" as const, error: null } : this.#failed(run, error, found.stageOneKept);
			await table.change(id, { ...found, figures: run.figures, finishedAt: now(), ...how });
		} else if (run.started !== undefined && !this.#line.outlivesServer) {
			await table.change(id, { ...(await this.#found(id)), figures: run.figures, status: "queued" });
		}
		this.#runs.delete(id);
		table.tell(id);
		this.#tellWaiting();
		await table.evict(this.limits);
	}

	/** How a job that did not succeed is recorded. */
	#failed({ id, why }: Run, error: unknown, stageOneKept: boolean): Pick<JobRecord, "status" | "error"> {
		if (why === "cancel") return { status: "cancelled", error: null };
		if (why === "timeout") {
			const message = `The job ran longer than ${Math.round(this.limits.runMs / 1000)} s.`;
			return { status: "failed", error: { code: "timeout", message, hint: "Ask for fewer steps." } };
		}
		const report = errorReport(error, this.table.store.folder);
		if (report.code === "internal") this.#log(`job ${id}: ${error instanceof Error ? error.stack : error}`);
		return { status: "failed", error: report.code === "interrupted" ? interrupted(report.message, stageOneKept) : report };
	}

	/** Shows what a running job has written so far. */
	async #refresh(run: Run): Promise<void> {
		const found = await this.#found(run.id);
		if (this.#runs.get(run.id) === run && !run.controller.signal.aborted) await this.table.change(run.id, found);
	}

	#tellWaiting(): void {
		for (const { id } of this.#waiting()) this.table.tell(id);
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

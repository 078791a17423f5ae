import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Job } from "bullmq";
import { SyncHumanError } from "../../engine/error.ts";
import { HttpError, reportedError } from "./httpError.ts";
import type { JobEnd, JobLine, JobWatch } from "./jobLine.ts";
import { noQueue, type QueuedJob, queueName, type RedisConnections } from "./redisConnection.ts";
import type { WorkerReport } from "./worker.ts";
import { readWorkerName } from "./workerName.ts";

/** What the line works with. */
export interface BullmqLineParts {
	readonly redis: RedisConnections;
	/** Where workers reach this server; asked once it listens. */
	readonly address: () => string;
	/** Milliseconds between looks at jobs whose events may have been missed, and at the workers that are there. */
	readonly checkMs?: number;
}

/** Whom the routes for workers ask. */
export interface WorkDesk {
	/**
	 * The watch of a job, for a worker that shows its key. `run` names one attempt: a worker that `begins` takes the job from whoever had it
	 * before. Throws codes "not-found", "unauthorized", "conflict".
	 */
	admit(id: string, key: string, run: string, begins?: boolean): JobWatch;
}

/** A job that has not ended. */
interface Entry {
	readonly id: string;
	readonly watch: JobWatch;
	key: string;
	run: string | undefined;
	started: boolean;
	/** Looks in a row that found it waiting again. */
	waited: number;
	readonly settle: (end: JobEnd) => void;
	readonly fail: (error: unknown) => void;
}

/** How long Redis keeps ended jobs, and how many. */
const kept = Object.freeze({ age: 86_400, count: 10_000 });

/** A job's name in Redis; digits alone would not do. */
const nameOf = (id: string) => `job-${id}`;

/**
 * The line of a server whose workers are elsewhere (`synchuman worker`): BullMQ on Redis or Valkey has the jobs' order and says which worker
 * runs which, and jobs whose worker is gone go to another one, once. Pictures, results and events go between worker and server (workRoutes.ts).
 * Throws code "input" where that Redis cannot hold a queue.
 */
export async function bullmqLine({ redis, address, checkMs = 5000 }: BullmqLineParts): Promise<JobLine & WorkDesk> {
	const { Queue, QueueEvents } = await import("bullmq");
	const queue = new Queue<QueuedJob>(queueName, { connection: redis.connect(false) });
	const events = new QueueEvents(queueName, { connection: redis.connect(true) });
	// Lost connections are told by RedisConnections.
	queue.on("error", () => {});
	events.on("error", () => {});
	try {
		await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
	} catch (error) {
		await Promise.allSettled([events.close(), queue.close()]);
		redis.close();
		throw noQueue(redis, error);
	}
	const entries = new Map<string, Entry>();
	let present: readonly WorkerReport[] = [];

	const start = (entry: Entry) => {
		Object.assign(entry, { started: true, waited: 0 });
		entry.watch.onStart();
	};
	const giveBack = (entry: Entry) => {
		Object.assign(entry, { started: false, waited: 0 });
		entry.watch.onReturn();
	};
	// What has ended stays in Redis for a time: a server that is killed before it has recorded it finds it there.
	const leave = (entry: Entry, settle: () => void) => {
		if (entries.delete(entry.id)) settle();
	};
	const done = (entry: Entry) => leave(entry, () => entry.settle("done"));
	const failed = (entry: Entry, reason: string) => leave(entry, () => entry.fail(failure(reason)));
	const about = <T extends { readonly jobId: string }>(happened: (entry: Entry, args: T) => void) => {
		return (args: T) => {
			const entry = entries.get(args.jobId.replace(/^job-/, ""));
			if (entry !== undefined) happened(entry, args);
		};
	};
	events.on("active", about(start));
	events.on("completed", about(done));
	events.on(
		"failed",
		about<{ jobId: string; failedReason: string }>((entry, { failedReason }) => failed(entry, failedReason)),
	);
	events.on(
		"waiting",
		about<{ jobId: string; prev?: string }>((entry, { prev }) => prev === "active" && giveBack(entry)),
	);

	/** Adds a job that Redis does not have, or finds the one that it has. */
	async function take(entry: Entry): Promise<Job<QueuedJob> | undefined> {
		const data = { server: address(), key: entry.key };
		await queue.add("generate", data, { jobId: nameOf(entry.id), attempts: 1, removeOnComplete: kept, removeOnFail: kept });
		const job = await queue.getJob(nameOf(entry.id));
		if (job === undefined || job.data.key === entry.key) return job;
		entry.key = job.data.key;
		// A worker that cannot reach this server any more looks here for its new address.
		if (job.data.server !== data.server) await job.updateData({ ...job.data, server: data.server });
		return job;
	}

	/** Takes out a job that waits, or whose worker is long gone; other workers are told at their next message. */
	async function stop(entry: Entry): Promise<void> {
		const removed = await queue.remove(nameOf(entry.id));
		if (removed === 1) leave(entry, () => entry.fail(new SyncHumanError("aborted", "The run was stopped.")));
	}

	/** Brings an entry to where its job stands. */
	async function look(entry: Entry): Promise<void> {
		if (entry.watch.signal.aborted) await stop(entry);
		const job = await queue.getJob(nameOf(entry.id));
		const state = (await job?.getState()) ?? "unknown";
		if (!entries.has(entry.id)) return;
		if (job === undefined || state === "unknown") {
			// Redis lost it: it was started again with nothing.
			await take(entry);
			if (entry.started) giveBack(entry);
		} else if (state === "completed") done(entry);
		else if (state === "failed") failed(entry, job.failedReason);
		else if (state === "active") {
			if (!entry.started) start(entry);
		} else if (entry.started && ++entry.waited > 1) giveBack(entry);
	}

	async function lookAtWorkers(): Promise<void> {
		const clients = await queue.getWorkers();
		// Redis lists the workers of all its databases.
		const ours = clients.filter(({ db }) => Number(db) === redis.database);
		present = ours.map(({ rawname }) => readWorkerName(rawname)).filter((report) => report !== undefined);
	}

	let looking = false;
	const check = async () => {
		if (looking) return;
		looking = true;
		// What cannot be asked while Redis is away is asked the next time.
		await lookAtWorkers().catch(() => {});
		for (const entry of [...entries.values()]) await look(entry).catch(() => {});
		looking = false;
	};
	const checking = setInterval(() => void check(), checkMs).unref();
	await check();

	return {
		outlivesServer: true,
		workers: () => present,
		async put(id, watch) {
			const { promise: ended, resolve: settle, reject: fail } = withResolvers<JobEnd>();
			// It may end before its caller has it.
			ended.catch(() => {});
			const key = randomBytes(32).toString("hex");
			const entry: Entry = { id, watch, key, run: undefined, started: false, waited: 0, settle, fail };
			entries.set(id, entry);
			try {
				await take(entry);
			} catch {
				entries.delete(id);
				throw new HttpError("unavailable", "The queue cannot be reached.", "Try again in a minute.", 30);
			}
			if (entry.key !== key) await look(entry).catch(() => {});
			watch.signal.addEventListener("abort", () => void stop(entry).catch(() => {}));
			if (watch.signal.aborted) await stop(entry).catch(() => {});
			return { ended };
		},
		admit(id, key, run, begins = false) {
			const entry = entries.get(id);
			if (entry === undefined) throw new HttpError("not-found", "There is no such job, or it has ended.");
			const [given, own] = [Buffer.from(key), Buffer.from(entry.key)];
			if (given.length !== own.length || !timingSafeEqual(given, own)) throw new HttpError("unauthorized", "The job has another key.");
			// After a restart of the server the worker that has the job is the one that shows itself.
			if (begins) entry.run = run;
			else entry.run ??= run;
			if (entry.run !== run) throw new HttpError("conflict", "Another worker has this job now.");
			if (!entry.started) start(entry);
			return entry.watch;
		},
		async close() {
			clearInterval(checking);
			for (const { settle } of entries.values()) settle("left");
			entries.clear();
			await Promise.allSettled([events.close(), queue.close()]);
			redis.close();
		},
	};
}

/** What a worker gave as the reason of a failure (queueWorker.ts), or BullMQ where the workers ended. */
function failure(reason: string): Error {
	if (/stalled/.test(reason)) {
		return new HttpError("interrupted", "The worker that ran this job ended in the middle of it, and so did the one that tried again.");
	}
	try {
		return reportedError(JSON.parse(reason));
	} catch {
		return new Error(reason);
	}
}

/** Promise.withResolvers, which Node 20 has not. */
function withResolvers<T>() {
	let settled: [resolve: (value: T) => void, reject: (error: unknown) => void] | undefined;
	const promise = new Promise<T>((resolve, reject) => {
		settled = [resolve, reject];
	});
	const [resolve, reject] = settled as NonNullable<typeof settled>;
	return { promise, resolve, reject };
}

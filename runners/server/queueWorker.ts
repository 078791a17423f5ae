import { randomUUID } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Job } from "bullmq";
import { SyncHumanError } from "../../engine/error.ts";
import { eventTeller } from "./eventTeller.ts";
import { errorReport, HttpError } from "./httpError.ts";
import { type JobTask, runTask } from "./jobLine.ts";
import { isResultName, openJobStore } from "./jobStore.ts";
import { noQueue, type QueuedJob, queueName, type RedisConnections } from "./redisConnection.ts";
import { serverLink } from "./serverLink.ts";
import type { JobWorker } from "./worker.ts";
import type { EngineChoice } from "./workerMessages.ts";
import { workerName } from "./workerName.ts";

/** What a worker of a queue works with. */
export interface QueueWorkerParts {
	readonly redis: RedisConnections;
	readonly worker: JobWorker;
	readonly engine: EngineChoice;
	readonly preload: boolean;
	/** For the files of the job that runs. */
	readonly folder: string;
	readonly log: (text: string) => void;
	/** Milliseconds; tests are less patient. */
	readonly times?: Partial<WorkerTimes>;
}

/** Milliseconds. */
export interface WorkerTimes {
	/** After which a job whose worker shows no sign of life goes to another one: found within twice that. */
	readonly lockMs: number;
	/** That a server may be away when a job begins. */
	readonly beginMs: number;
	/** That a server may be away when there are results to give. */
	readonly resultMs: number;
	/** Between messages to the server, and so until a job that is cancelled knows it. */
	readonly beatMs: number;
}

/** Jobs in a row that fail with code "device" until a worker takes no more. */
const brokenAfter = 3;

const usualTimes: WorkerTimes = Object.freeze({ lockMs: 30_000, beginMs: 300_000, resultMs: 600_000, beatMs: 1000 });

/** A worker that takes jobs from a queue. */
export interface QueueWorker {
	/** Its adapter. */
	readonly adapter: string;
	/** Rejects with code "device" once several jobs in a row failed on the device, so that a broken card does not fail all that wait. */
	readonly broken: Promise<never>;
	/** Takes no more jobs; the one that runs may end within `graceMs`, then it goes back to the queue, its stage 1 kept. */
	close(graceMs: number): Promise<void>;
}

/**
 * Starts `synchuman worker`: the engine first, then jobs from the queue, one at a time. Throws SyncHumanError as JobWorker.start does, and
 * code "checkpoint" where it has one stage alone.
 */
export async function queueWorker(parts: QueueWorkerParts): Promise<QueueWorker> {
	const { redis, worker, engine, folder, log } = parts;
	const times = { ...usualTimes, ...parts.times };
	const { Queue, UnrecoverableError, WaitingError, Worker } = await import("bullmq");
	const report = await worker.start(parts.preload);
	const store = await openJobStore(folder);
	if (!report.stages.stage1 || !report.stages.stage2) {
		await worker.close();
		const lacking = report.stages.stage1 ? "second" : "first";
		throw new SyncHumanError("checkpoint", `The weights of the ${lacking} stage are not there.`, "Workers of a queue need both stages.");
	}
	const queue = new Queue<QueuedJob>(queueName, { connection: redis.connect(false) });
	const leaving = new AbortController();
	const lost = new Map<string, AbortController>();
	let deviceFailures = 0;
	let fail: (error: SyncHumanError) => void = () => {};
	const broken = new Promise<never>((_, reject) => {
		fail = reject;
	});
	// Who does not look at it is told by the log.
	broken.catch(({ message }) => log(message));

	async function work(job: Job<QueuedJob>, token: string | undefined): Promise<void> {
		const id = (job.id as string).replace(/^job-/, "");
		const gone = new AbortController();
		lost.set(job.id as string, gone);
		const queued = async () => (await queue.getJob(job.id as string).catch(() => undefined))?.data ?? job.data;
		const link = serverLink({ id, run: randomUUID(), queued, signal: gone.signal, log, patience: times });
		const teller = eventTeller(link, giveFiles, times.beatMs);
		const brought = new Map<string, string>();
		const folders = new Set([store.folderOf(id)]);

		/** Gives every result that the server does not have; the ones that say "this stage is whole" last. */
		async function giveFiles(): Promise<void> {
			const { files } = await store.files(id);
			const last = (name: string) => (name === "run.json" ? 2 : name === "stage1/latent.npz" ? 1 : 0);
			for (const name of [...files].sort((a, b) => last(a) - last(b))) {
				const path = join(store.folderOf(id), name);
				const { size, mtimeMs } = await stat(path);
				const state = `${size} ${mtimeMs}`;
				if (brought.get(name) === state) continue;
				await link.give(name, path, size);
				brought.set(name, state);
			}
		}

		/** Brings what the run needs, into folders as the server's. */
		async function bring(): Promise<JobTask> {
			const { options, stageOneJob, files } = await link.begin();
			const from = store.folderOf(stageOneJob ?? id);
			folders.add(from);
			for (const name of files) {
				// Whoever can write to the queue says which server this is.
				if (!isResultName(name)) throw new HttpError("forbidden", `The server names a file outside of the job's folder: ${name}`);
				await link.fetch(name, join(from, name));
				const { size, mtimeMs } = await stat(join(from, name));
				if (from === store.folderOf(id)) brought.set(name, `${size} ${mtimeMs}`);
			}
			return { folder: store.folderOf(id), options, stageOneFolder: stageOneJob === undefined ? undefined : from };
		}

		try {
			log(`job ${id}: begins`);
			const task = await bring();
			const signal = AbortSignal.any([gone.signal, link.stopped, leaving.signal]);
			await runTask(worker, task, { engine, watch: { signal, onEvent: teller.tell }, log });
			await teller.flush();
			deviceFailures = 0;
			log(`job ${id}: done`);
		} catch (error) {
			if ((leaving.signal.aborted || gone.signal.aborted) && !link.stopped.aborted) {
				log(`job ${id}: goes back to the queue`);
				// Where the lock is lost it is there already.
				await job.moveToWait(token).catch(() => {});
				throw new WaitingError();
			}
			const told = errorReport(error, store.folder);
			log(`job ${id}: ${told.code === "internal" && error instanceof Error ? error.stack : told.message}`);
			deviceFailures = told.code === "device" ? deviceFailures + 1 : 0;
			if (deviceFailures === brokenAfter) {
				void taker.pause(true);
				fail(
					new SyncHumanError(
						"device",
						`The last ${brokenAfter} jobs failed on ${report.device.adapter}.`,
						"Look at it with synchuman doctor.",
					),
				);
			}
			throw new UnrecoverableError(JSON.stringify(told));
		} finally {
			teller.close();
			// Files that are still being given have nobody to give them to.
			gone.abort();
			lost.delete(job.id as string);
			for (const one of folders) await rm(one, { recursive: true, force: true });
		}
	}

	const taker = new Worker<QueuedJob>(queueName, work, {
		connection: redis.connect(true),
		name: workerName(report),
		concurrency: 1,
		lockDuration: times.lockMs,
		stalledInterval: times.lockMs,
		// The second worker that ends beneath a job is the last.
		maxStalledCount: 1,
	});
	taker.on("lockRenewalFailed", (ids) => {
		for (const id of ids) lost.get(id)?.abort();
	});
	// Lost connections are told by RedisConnections.
	taker.on("error", () => {});
	queue.on("error", () => {});
	try {
		await taker.waitUntilReady();
	} catch (error) {
		await Promise.allSettled([taker.close(true), queue.close()]);
		redis.close();
		await worker.close();
		throw noQueue(redis, error);
	}
	return {
		adapter: report.device.adapter,
		broken,
		async close(graceMs) {
			const timer = setTimeout(() => leaving.abort(), graceMs);
			await taker.close();
			clearTimeout(timer);
			await queue.close().catch(() => {});
			redis.close();
			await worker.close();
		},
	};
}

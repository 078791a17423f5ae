import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SyncHumanError } from "../../engine/error.ts";
import { generate } from "../../runners/generate.ts";
import { encodePng } from "../../runners/imageFile.ts";
import type { FetchLimits } from "../../runners/server/fetchPicture.ts";
import { queueWorker, type WorkerTimes } from "../../runners/server/queueWorker.ts";
import { openRedis } from "../../runners/server/redisConnection.ts";
import { type RunningServer, serve } from "../../runners/server/serve.ts";
import { viewsEvent } from "../../runners/server/viewsEvent.ts";
import type { JobWorker } from "../../runners/server/worker.ts";
import { type ServerArguments, serverArguments } from "../../runners/serverArguments.ts";
import { stageOneResult } from "./stageResults.ts";
import { stubEngine, stubReport } from "./stubEngine.ts";

/** What comes before a stage: so many milliseconds, or whatever the test waits for itself. */
type Pause = number | Promise<void>;

/** How the stand-in for the engine behaves. */
export interface StubWorkerOptions {
	/** Before each stage; a run that is stopped ends at once. */
	readonly stageMs?: Pause;
	/** The same for the second stage alone. */
	readonly stageTwoMs?: Pause;
	readonly fail?: SyncHumanError;
	/** Only every so many runs fail; default all. */
	readonly failEvery?: number;
	readonly stages?: { readonly stage1: boolean; readonly stage2: boolean };
}

/** A worker that runs `synchuman generate` on the stub of an engine. */
export function stubWorker({
	stageMs = 25,
	stageTwoMs = stageMs,
	fail,
	failEvery = 1,
	stages = { stage1: true, stage2: true },
}: StubWorkerOptions = {}): JobWorker {
	let runs = 0;
	return {
		start: async () => ({ device: stubReport, stages }),
		async run(options, { signal, onEvent }) {
			const engine = stubEngine();
			const pause = (before: Pause) =>
				new Promise<void>((resolve, reject) => {
					const timer = typeof before === "number" ? setTimeout(resolve, before) : undefined;
					if (typeof before === "object") void before.then(resolve);
					const stop = () => {
						clearTimeout(timer);
						reject(new SyncHumanError("aborted", "The run was stopped."));
					};
					if (signal.aborted) stop();
					signal.addEventListener("abort", stop);
				});
			await generate(
				{ ...options, weights: "synthetic:tiny" },
				{
					openEngine: async () => ({
						...engine,
						async stageOne(image, run) {
							await pause(stageMs);
							if (fail !== undefined && ++runs % failEvery === 0) throw fail;
							return engine.stageOne(image, run);
						},
						async stageTwo(stageOne, run) {
							run?.onPlan?.({ stage: "stage 2", parts: [], heldBytes: 0, residentBytes: 0, peakBytes: 0 });
							await pause(stageTwoMs);
							return engine.stageTwo(stageOne, run);
						},
					}),
					out: (text) => onEvent(JSON.parse(text)),
					onViews: (preview) => void viewsEvent(preview).then(onEvent),
					say: () => {},
					terminal: false,
					signal,
				},
			);
		},
		close: async () => {},
	};
}

/** A server for a test, on a free port. */
export interface TestServer extends RunningServer {
	readonly jobs: string;
	readonly said: string[];
	/** Closes it and removes its folder. */
	end(): Promise<void>;
}

/** Times of a queue in Redis for tests, milliseconds: short where they are waited for, long where a slow machine must not end an attempt. */
export const quickTimes: WorkerTimes = Object.freeze({ lockMs: 5000, beginMs: 60_000, resultMs: 60_000, beatMs: 100 });

/** A worker of a queue in Redis, with a stand-in for the engine. */
export async function testWorker(url: string, worker: JobWorker, times: Partial<WorkerTimes> = {}) {
	const said: string[] = [];
	const log = (text: string) => void said.push(text);
	const folder = mkdtempSync(join(tmpdir(), "synchuman-worker-"));
	const engine = { weights: "synthetic:tiny", dtype: undefined, adapter: undefined, maxMemory: undefined };
	const redis = await openRedis(url, log);
	const parts = { redis, worker, engine, preload: false, folder, log, times: { ...quickTimes, ...times } };
	const { close, broken } = await queueWorker(parts).catch(removing(folder));
	return {
		said,
		folder,
		broken,
		async close(graceMs = 0) {
			await close(graceMs);
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/**
 * Starts a server with a stand-in for the engine, or with `worker`, in a folder of its own (or `jobs`). With `queue` the worker takes the
 * jobs from Redis; `worker: null` starts none.
 */
export async function testServer(
	options: Partial<ServerArguments> & { readonly worker?: JobWorker | null; readonly fetching?: Partial<FetchLimits> } = {},
): Promise<TestServer> {
	const { worker = stubWorker(), fetching, ...given } = options;
	const jobs = given.jobs ?? mkdtempSync(join(tmpdir(), "synchuman-server-"));
	const said: string[] = [];
	const plain = serverArguments({ operands: [], values: { port: "0", "grace-seconds": "0" } }, {});
	const say = (text: string) => void said.push(text);
	const own = worker ?? stubWorker();
	const elsewhere = given.queue === undefined || worker === null ? undefined : await testWorker(given.queue, own);
	const surroundings = { worker: own, say, checkMs: 250, ...(fetching && { fetching }) };
	const server = await serve({ ...plain, ...given, jobs }, surroundings).catch(removing(jobs));
	const close = async () => {
		await elsewhere?.close();
		await server.close();
	};
	return {
		...server,
		close,
		jobs,
		said,
		async end() {
			await close();
			rmSync(jobs, { recursive: true, force: true });
		},
	};
}

/** Passes on why something did not start, its folder removed. */
function removing(folder: string): (error: unknown) => never {
	return (error) => {
		rmSync(folder, { recursive: true, force: true });
		throw error;
	};
}

let picture: Promise<Uint8Array> | undefined;

/** A PNG of a person, 32 x 32 pixels. */
export function personPng(): Promise<Uint8Array> {
	picture ??= encodePng(stageOneResult().input);
	return picture;
}

/** A form with the picture of a person and other fields. */
export async function personForm(fields: Readonly<Record<string, string>> = {}): Promise<FormData> {
	const form = new FormData();
	form.set("image", new Blob([(await personPng()) as Uint8Array<ArrayBuffer>]), "person.png");
	for (const [name, value] of Object.entries(fields)) form.set(name, value);
	return form;
}

/** The form of a stage 2 that goes on from another job. */
export function continueForm(jobId: string, fields: Readonly<Record<string, string>> = {}): FormData {
	const form = new FormData();
	for (const [name, value] of Object.entries({ stage: "stage2", job_id: jobId, ...fields })) form.set(name, value);
	return form;
}

/** A job as the server shows it. */
export type SeenJob = Readonly<Record<string, unknown>> & {
	readonly job_id: string;
	readonly status: string;
	readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
	readonly result: Readonly<Record<string, unknown>> & { readonly files: readonly string[] };
};

/** Posts the picture of a person, for a body without a texture, and gives the job. */
export async function postPerson(url: string): Promise<SeenJob> {
	const body = await personForm({ texture_size: "0" });
	return (await (await fetch(`${url}/generate`, { method: "POST", body })).json()) as SeenJob;
}

/** A job as the server shows it now. */
export async function seenJob(url: string, id: string): Promise<SeenJob> {
	const answer = await fetch(`${url}/jobs/${id}`);
	const job = (await answer.json()) as SeenJob;
	if (answer.status !== 200) throw new Error(`there is no job ${id}: ${JSON.stringify(job)}`);
	return job;
}

/** Milliseconds after which a wait fails and says for what: a little before the test's own limit. */
const longestWaitMs = 100_000;

/** Asks every 10 ms until `find` gives something. Rejects with what `what` says where it does not for long. */
export async function eventually<T>(find: () => Promise<T | undefined> | T | undefined, what: () => string): Promise<T> {
	for (const started = performance.now(); ; ) {
		const found = await find();
		if (found !== undefined) return found;
		if (performance.now() - started > longestWaitMs) throw new Error(what());
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

/** The job as soon as it `matches`. */
export async function jobOnce(url: string, id: string, matches: (job: SeenJob) => boolean): Promise<SeenJob> {
	let last: SeenJob | undefined;
	const find = async () => {
		last = await seenJob(url, id);
		return matches(last) ? last : undefined;
	};
	return eventually(find, () => `the job ${id} stays ${JSON.stringify(last)}`);
}

/** The job once it has ended. */
export function endedJob(url: string, id: string): Promise<SeenJob> {
	return jobOnce(url, id, ({ status }) => ["done", "failed", "cancelled"].includes(status));
}

/** True for a job whose stage 1 is there and whose stage 2 runs. */
export function inStageTwo({ status, result }: SeenJob): boolean {
	return status === "running" && result.files.some((file) => file.endsWith("latent.npz"));
}

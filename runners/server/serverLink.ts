import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type Dispatcher, request } from "undici";
import { SyncHumanError } from "../../engine/error.ts";
import { diskError, makeFolder, writeAll } from "../writeFiles.ts";
import { HttpError, reportedError } from "./httpError.ts";
import type { QueuedJob } from "./redisConnection.ts";
import type { RunEvent } from "./worker.ts";
import type { WorkAnswer, WorkOrder } from "./workRoutes.ts";

/** Where a worker's run is told and its files lie. */
export interface ServerLinkOptions {
	readonly id: string;
	/** Names this attempt. */
	readonly run: string;
	/** What Redis has of the job; asked again when the server does not answer, for it may have moved. */
	readonly queued: () => Promise<QueuedJob>;
	/** Aborted: nothing is tried any more. */
	readonly signal: AbortSignal;
	/** Told when the server does not answer, and when it does again. */
	readonly log: (text: string) => void;
	/** Milliseconds that a server may be away, from the first request that failed: at the start, and once there are results to lose. */
	readonly patience: { readonly beginMs: number; readonly resultMs: number };
}

/** A worker's way to the server that accepted its job. */
export interface ServerLink {
	/** Aborted where the server says so: the job was cancelled, or another worker has it. */
	readonly stopped: AbortSignal;
	/** Takes the job. Rejects with code "unavailable" where the server cannot be reached. */
	begin(): Promise<WorkOrder>;
	/** Brings an input file to `path`; where the connection breaks, it goes on from there. Rejects with code "disk" too. */
	fetch(name: string, path: string): Promise<void>;
	/** Gives a result. */
	give(name: string, path: string, byteLength: number): Promise<void>;
	/** Tells events, while the server is away once or, `patient`, for a time. Rejects where it could not be reached. */
	tell(events: readonly RunEvent[], patient: boolean): Promise<void>;
}

/** Opens the way for one attempt of one job. */
export function serverLink({ id, run, queued, signal, log, patience }: ServerLinkOptions): ServerLink {
	const stop = new AbortController();
	let known: QueuedJob | undefined;
	let away = false;

	/** A request and its answer, repeated for a time while the server is away, breaks off or does not know the job yet. */
	async function ask<T>({ method, path, patienceMs, content, progress, read }: Exchange<T>): Promise<T> {
		let until: number | undefined;
		let best = 0;
		for (let pause = 100; ; pause = Math.min(2 * pause, 5000)) {
			if (signal.aborted || stop.signal.aborted) throw new SyncHumanError("aborted", "The run was stopped.");
			known ??= await queued();
			const { server, key } = known;
			let problem: string;
			try {
				const answer = await request(`${server}/work/${id}/${path}`, {
					method,
					headers: { authorization: `Bearer ${key}`, "x-run": run, ...content?.headers() },
					body: content?.body?.() ?? null,
					headersTimeout: 60_000,
					bodyTimeout: 60_000,
				});
				if (answer.statusCode < 300) {
					const value = await read(answer);
					if (away) log(`job ${id}: the server answers again`);
					away = false;
					return value;
				}
				problem = `status ${answer.statusCode}`;
				const { error } = (await answer.body.json().catch(() => ({}))) as { readonly error?: Parameters<typeof reportedError>[0] };
				if (answer.statusCode === 409) {
					stop.abort();
					throw new SyncHumanError("aborted", "Another worker has this job now.");
				}
				// Not known: its server has just begun, or has moved.
				const mayPass = [401, 404].includes(answer.statusCode) || answer.statusCode === 502 || answer.statusCode === 503;
				if (!mayPass && error !== undefined) throw reportedError(error);
			} catch (error) {
				if (error instanceof SyncHumanError || error instanceof HttpError) throw error;
				problem = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
			}
			known = undefined;
			if (!away) log(`job ${id}: the server at ${server} does not answer (${problem}); trying again`);
			away = true;
			const now = progress?.() ?? 0;
			if (until === undefined || now > best) {
				until = Date.now() + patienceMs;
				pause = 100;
			}
			best = Math.max(best, now);
			if (Date.now() + pause > until) {
				throw new HttpError(
					"unavailable",
					`The worker on ${hostname()} cannot reach the server at ${server} (${problem}).`,
					"Start the server with --address http://HOST:PORT that workers reach.",
				);
			}
			await delay(pause);
		}
	}

	return {
		stopped: stop.signal,
		begin() {
			const read = async ({ body }: Answer) => (await body.json()) as WorkOrder;
			return ask({ method: "GET", path: "input", patienceMs: patience.beginMs, read });
		},
		async fetch(name, path) {
			const onDisk = (error: unknown): never => {
				throw diskError(path, error);
			};
			await makeFolder(dirname(path)).catch(onDisk);
			const file = await open(path, "w").catch(onDisk);
			let have = 0;
			const read = async ({ statusCode, body }: Answer) => {
				// A server that does not know ranges begins again.
				if (statusCode !== 206) have = 0;
				for await (const piece of body) {
					await writeAll(file, piece, have).catch(onDisk);
					have += piece.length;
				}
			};
			const content = { headers: (): Record<string, string> => (have > 0 ? { range: `bytes=${have}-` } : {}) };
			try {
				await ask({ method: "GET", path: `input/${name}`, patienceMs: patience.beginMs, content, progress: () => have, read });
			} finally {
				await file.close();
			}
		},
		give(name, path, byteLength) {
			const headers = () => ({ "content-length": String(byteLength), "content-type": "application/octet-stream" });
			const content = { headers, body: () => createReadStream(path) };
			return ask({ method: "PUT", path: `files/${name}`, patienceMs: patience.resultMs, content, read: ({ body }) => body.dump() });
		},
		async tell(events, patient) {
			const text = JSON.stringify(events);
			const content = { headers: () => ({ "content-type": "application/json" }), body: () => text };
			const read = async ({ body }: Answer) => (await body.json()) as WorkAnswer;
			const answer = await ask({ method: "POST", path: "events", patienceMs: patient ? patience.resultMs : 0, content, read });
			if (answer.stop) stop.abort();
		},
	};
}

type Answer = Dispatcher.ResponseData;

/** A request that is repeated until its answer is there. */
interface Exchange<T> {
	readonly method: "GET" | "PUT" | "POST";
	readonly path: string;
	/** Milliseconds, from the first attempt that failed or, with `progress`, from the last one that brought something. */
	readonly patienceMs: number;
	/** Asked for every attempt. */
	readonly content?: { readonly headers: () => Readonly<Record<string, string>>; readonly body?: () => Readable | string };
	/** Bytes that are there. */
	readonly progress?: () => number;
	/** Takes the answer; where it rejects because the connection broke, the request is repeated. */
	readonly read: (answer: Answer) => Promise<T>;
}

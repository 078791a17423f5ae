import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type Dispatcher, request } from "undici";
import { SyncHumanError } from "../../engine/error.ts";
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
	/** Milliseconds that a server may be away: at the start, and once there are results to lose. */
	readonly patience: { readonly beginMs: number; readonly resultMs: number };
}

/** A worker's way to the server that accepted its job. */
export interface ServerLink {
	/** Aborted where the server says so: the job was cancelled, or another worker has it. */
	readonly stopped: AbortSignal;
	/** Takes the job. Rejects with code "unavailable" where the server cannot be reached. */
	begin(): Promise<WorkOrder>;
	/** Brings an input file to `path`. */
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

	/** A request, repeated for a time while the server is away or does not know the job yet. */
	async function ask(method: "GET" | "PUT" | "POST", path: string, ms: number, content?: Content): Promise<Dispatcher.ResponseData> {
		const until = Date.now() + ms;
		for (let pause = 100; ; pause = Math.min(2 * pause, 5000)) {
			if (signal.aborted || stop.signal.aborted) throw new SyncHumanError("aborted", "The run was stopped.");
			known ??= await queued();
			const { server, key } = known;
			let problem: string;
			try {
				const answer = await request(`${server}/work/${id}/${path}`, {
					method,
					headers: { authorization: `Bearer ${key}`, "x-run": run, ...content?.headers },
					body: content?.body() ?? null,
					headersTimeout: 60_000,
					bodyTimeout: 60_000,
				});
				if (answer.statusCode < 300) {
					if (away) log(`job ${id}: the server answers again`);
					away = false;
					return answer;
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
		async begin() {
			return (await (await ask("GET", "input", patience.beginMs)).body.json()) as WorkOrder;
		},
		async fetch(name, path) {
			await mkdir(dirname(path), { recursive: true });
			const answer = await ask("GET", `input/${name}`, patience.beginMs);
			await pipeline(answer.body, createWriteStream(path));
		},
		async give(name, path, byteLength) {
			const headers = { "content-length": String(byteLength), "content-type": "application/octet-stream" };
			const answer = await ask("PUT", `files/${name}`, patience.resultMs, { headers, body: () => createReadStream(path) });
			await answer.body.dump();
		},
		async tell(events, patient) {
			const text = JSON.stringify(events);
			const content = { headers: { "content-type": "application/json" }, body: () => text };
			const answer = (await (await ask("POST", "events", patient ? patience.resultMs : 0, content)).body.json()) as WorkAnswer;
			if (answer.stop) stop.abort();
		},
	};
}

/** What a request carries; a repeated one needs it again. */
interface Content {
	readonly headers: Readonly<Record<string, string>>;
	readonly body: () => Readable | string;
}

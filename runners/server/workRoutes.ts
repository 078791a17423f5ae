import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import { writeFiles } from "../writeFiles.ts";
import type { BodyWatch } from "./bodyWatch.ts";
import type { WorkDesk } from "./bullmqLine.ts";
import { HttpError } from "./httpError.ts";
import type { JobWatch } from "./jobLine.ts";
import type { JobOptions } from "./jobRecord.ts";
import { isJobId, isResultName, type JobStore, uploadName } from "./jobStore.ts";
import type { RunEvent } from "./worker.ts";

/** What a worker is told when it takes a job: what to do, and which files it needs. */
export interface WorkOrder {
	readonly options: JobOptions;
	/** The job whose finished stage 1 the run goes on from. */
	readonly stageOneJob: string | undefined;
	/** Under /work/ID/input/; of a stage 1, run.json and what stage 2 reads. */
	readonly files: readonly string[];
}

/** What a worker is told when it tells its events. */
export interface WorkAnswer {
	/** Whether to stop after this step. */
	readonly stop: boolean;
}

/** Bytes of one message of events: pictures of views while they sample are the largest. */
const maxEventBytes = 16e6;

/**
 * The routes for workers on other hosts: GET /work/ID/input begins a run and says what it needs, PUT /work/ID/files/NAME gives results, POST
 * /work/ID/events tells how it goes on. Every request shows the job's key, which workers know from Redis, and the name of its attempt.
 */
export function workRoutes(app: Hono, desk: WorkDesk, store: JobStore, bodies: BodyWatch): void {
	const writing = new Map<string, Promise<void>>();
	const admitted = (c: Context, begins = false): JobWatch => {
		const id = c.req.param("id") ?? "";
		const key = /^Bearer (\w+)$/.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
		const run = c.req.header("x-run") ?? "";
		if (!isJobId(id) || run === "") throw new HttpError("not-found", "There is no such job.");
		const watch = desk.admit(id, key, run, begins);
		// Results may take long where the line to the worker is slow.
		bodies.allowSlow((c.env as HttpBindings).incoming);
		return watch;
	};
	app.get("/work/:id/input", async (c) => {
		const { options, folder, stageOneFolder } = admitted(c, true).task();
		if (stageOneFolder === undefined) return c.json({ options, files: [uploadName] });
		const { files } = await store.files(basename(stageOneFolder));
		const needed = files.filter((name) => name === "run.json" || (name.startsWith("stage1/") && !name.endsWith(".ply")));
		const order: WorkOrder = { options, stageOneJob: basename(stageOneFolder ?? folder), files: needed };
		return c.json(order);
	});
	app.get("/work/:id/input/:name{.+}", async (c) => {
		const { folder, stageOneFolder } = admitted(c).task();
		const name = c.req.param("name");
		if (!isResultName(name)) throw new HttpError("not-found", "There is no such file.");
		const path = join(name === uploadName ? folder : (stageOneFolder ?? folder), name);
		const found = await stat(path).catch(() => undefined);
		if (!found?.isFile()) throw new HttpError("not-found", "There is no such file.");
		// Where the connection broke, its worker goes on from there.
		const asked = Number(/^bytes=(\d+)-$/.exec(c.req.header("range") ?? "")?.[1] ?? 0);
		const start = asked < found.size ? asked : 0;
		const headers = {
			"Content-Type": "application/octet-stream",
			"Content-Length": String(found.size - start),
			...(start > 0 && { "Content-Range": `bytes ${start}-${found.size - 1}/${found.size}` }),
		};
		return new Response(Readable.toWeb(createReadStream(path, { start })) as ReadableStream, { status: start > 0 ? 206 : 200, headers });
	});
	app.put("/work/:id/files/:name{.+}", async (c) => {
		const { folder } = admitted(c).task();
		const name = c.req.param("name");
		if (!isResultName(name) || ["job.json", uploadName].includes(name)) throw new HttpError("forbidden", "That is no name of a result.");
		const length = Number(c.req.header("content-length") ?? Number.NaN);
		async function* body(): AsyncGenerator<Uint8Array> {
			let seen = 0;
			try {
				for await (const piece of (c.req.raw.body ?? []) as AsyncIterable<Uint8Array>) {
					seen += piece.length;
					yield piece;
				}
			} catch (error) {
				// The disk's own errors are thrown where the pieces are written.
				throw new HttpError("multipart", `${name}: ${seen} bytes came of ${length} (${(error as Error).message}).`);
			}
			if (seen !== length) throw new HttpError("multipart", `${name}: ${seen} bytes came of ${length}.`);
			// Meanwhile another worker may have taken the job.
			admitted(c);
		}
		// A request that its worker repeats, or that another attempt makes, waits for the one before.
		const path = join(folder, name);
		const written = (writing.get(path) ?? Promise.resolve())
			.catch(() => {})
			.then(() => writeFiles(dirname(path), [[basename(path), body()]]));
		writing.set(path, written);
		try {
			await written;
		} finally {
			if (writing.get(path) === written) writing.delete(path);
		}
		return c.body(null, 204);
	});
	app.post("/work/:id/events", async (c) => {
		const watch = admitted(c);
		if (!(Number(c.req.header("content-length")) <= maxEventBytes)) throw new HttpError("too-large", "Too many events at once.");
		const events = (await c.req.json().catch(() => undefined)) as readonly RunEvent[] | undefined;
		if (!Array.isArray(events) || events.some((event) => typeof event?.event !== "string")) {
			throw new HttpError("multipart", "The body is no list of events.");
		}
		for (const event of events) watch.onEvent(event);
		return c.json({ stop: watch.signal.aborted } satisfies WorkAnswer);
	});
}

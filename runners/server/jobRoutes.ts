import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import type { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { HttpError } from "./httpError.ts";
import type { JobQueue } from "./jobQueue.ts";
import { isFinal, type JobRecord, jobView } from "./jobRecord.ts";
import type { JobStore } from "./jobStore.ts";
import { metadataFile, resultsZip } from "./resultsZip.ts";

const types: Readonly<Record<string, string>> = Object.freeze({
	".glb": "model/gltf-binary",
	".obj": "model/obj",
	".mtl": "model/mtl",
	".ply": "application/octet-stream",
	".npz": "application/octet-stream",
	".png": "image/png",
	".json": "application/json; charset=utf-8",
});

/** Names that documents of the system use for files that are called otherwise. */
const otherNames: Readonly<Record<string, string>> = Object.freeze({ "stage1/coordinates.npz": "stage1/latent.npz" });

/** Milliseconds after which an event stream says that it is alive. */
const aliveMs = 15_000;

/** GET /jobs, /jobs/:id, its events and files; DELETE /jobs/:id. */
export function jobRoutes(app: Hono, queue: JobQueue): void {
	const { table } = queue;
	const view = (job: JobRecord) => jobView(job, queue.now(job.id));
	app.get("/jobs", (c) => c.json({ jobs: [...table.list()].reverse().map(view) }));
	app.get("/jobs/:id", (c) => c.json(view(table.get(c.req.param("id")))));
	app.delete("/jobs/:id", async (c) => {
		const id = c.req.param("id");
		const outcome = await queue.remove(id);
		return c.json({ job_id: id, status: outcome }, outcome === "stopping" ? 202 : 200);
	});
	app.get("/jobs/:id/events", (c) => {
		const id = c.req.param("id");
		table.get(id);
		c.header("X-Accel-Buffering", "no");
		return streamSSE(c, (stream) => tellChanges(queue, id, stream));
	});
	app.get("/jobs/:id/results.zip", (c) => {
		const job = table.get(c.req.param("id"));
		if (job.status !== "done") throw new HttpError("conflict", `The job is ${job.status}.`, "Its results are zipped once it is done.");
		return zipAnswer(table.store, job, view(job));
	});
	app.get("/jobs/:id/views.webp", (c) => {
		const job = table.get(c.req.param("id"));
		const { views } = queue.now(job.id);
		if (views === null || isFinal(job))
			throw new HttpError("not-found", "There are no views to be seen now.", "They are there while stage 1 runs.");
		return new Response(views.webp, { headers: { "Content-Type": "image/webp", "Cache-Control": "no-cache" } });
	});
	app.get("/jobs/:id/results_metadata.json", (c) => c.json(view(table.get(c.req.param("id")))));
	for (const stage of ["stage1", "stage2"] as const) {
		const listing = (id: string) => {
			const { output_dir, files } = view(table.get(id)).result[stage];
			return { job_id: id, output_dir, files };
		};
		app.get(`/jobs/:id/${stage}`, (c) => c.json(listing(c.req.param("id"))));
		app.get(`/jobs/:id/${stage}/`, (c) => c.json(listing(c.req.param("id"))));
	}
	app.get("/jobs/:id/:file{.+}", (c) => fileAnswer(table.store, table.get(c.req.param("id")), c.req.param("file")));
}

/** Where events are written. */
interface EventStream {
	readonly aborted: boolean;
	writeSSE(message: { readonly event: string; readonly data: string; readonly id?: string }): Promise<void>;
	onAbort(listener: () => void): void;
}

/**
 * The job as it is, again after every change and when it has ended: events `job` with the body of GET /jobs/:id. A slow reader misses
 * changes in between, never the last one.
 */
async function tellChanges(queue: JobQueue, id: string, stream: EventStream): Promise<void> {
	const { table } = queue;
	const gone = new AbortController();
	stream.onAbort(() => gone.abort());
	let told = "";
	for (;;) {
		if (!table.list().some((job) => job.id === id)) return stream.writeSSE({ event: "removed", data: JSON.stringify({ job_id: id }) });
		const job = table.get(id);
		const data = JSON.stringify(jobView(job, queue.now(id)));
		// What happens while this is being written is not missed.
		const next = table.changed(id, gone.signal, aliveMs);
		await stream.writeSSE(data === told ? { event: "alive", data: "{}" } : { event: "job", data });
		told = data;
		if (isFinal(job)) return;
		await next;
		if (gone.signal.aborted || stream.aborted) return;
	}
}

/** A file of a job: one that its record names, so that no path leads out of its folder. Throws code "not-found". */
export async function fileAnswer(store: JobStore, job: JobRecord, asked: string, saveAs?: string): Promise<Response> {
	const name = Object.hasOwn(otherNames, asked) ? otherNames[asked] : asked;
	const missing = () => new HttpError("not-found", "The job has no such file.", `See result.files in /jobs/${job.id}.`);
	if (!job.files.includes(name)) throw missing();
	const path = join(store.folderOf(job.id), name);
	const found = await stat(path).catch(() => undefined);
	if (!found?.isFile()) throw missing();
	const type = types[/\.[a-z]+$/.exec(name)?.[0] ?? ""] ?? "application/octet-stream";
	return new Response(Readable.toWeb(createReadStream(path)) as ReadableStream, {
		headers: {
			"Content-Type": type,
			"Content-Length": String(found.size),
			"Content-Disposition": `${saveAs === undefined ? "inline" : "attachment"}; filename="${saveAs ?? basename(asked)}"`,
			"X-Job-Id": job.id,
		},
	});
}

/** All files of a job as the documented ZIP: stage1/, stage2/, results_metadata.json. */
export function zipAnswer(store: JobStore, job: JobRecord, metadata: unknown): Response {
	return new Response(resultsZip(store.folderOf(job.id), job.files, metadataFile(metadata)), {
		headers: {
			"Content-Type": "application/zip",
			"Content-Disposition": `attachment; filename="synchuman_results_${job.id}.zip"`,
			"X-Job-Id": job.id,
		},
	});
}

import type { Hono } from "hono";
import { SyncHumanError } from "../../engine/error.ts";
import type { AppOptions } from "./app.ts";
import { fetchPicture } from "./fetchPicture.ts";
import { type GenerateForm, readGenerateForm } from "./generateForm.ts";
import { HttpError, httpStatus } from "./httpError.ts";
import { isFinal, type JobRecord, jobView } from "./jobRecord.ts";
import { fileAnswer, zipAnswer } from "./jobRoutes.ts";
import type { WorkerReport } from "./worker.ts";

/** POST /generate: a place in the queue first, then the upload; the answer at once (202), or with `download` once the job has ended. */
export function generateRoute(app: Hono, options: AppOptions): void {
	const { queue } = options;
	const { table } = queue;
	app.post("/generate", async (c) => {
		const { signal } = c.req.raw;
		const giveBack = queue.reserve();
		let form: GenerateForm;
		let job: JobRecord;
		try {
			form = await readGenerateForm(c.req.raw);
			checkStage(form.options.stage, options.workers());
			if (form.source !== undefined && !table.get(form.source).stageOneKept) {
				throw new HttpError("conflict", "That job has no finished stage 1.", "Wait for it: GET /jobs/ID says when it is there.");
			}
			const picture = form.image ?? (await fetched(form.imageUrl, options, signal));
			const alphaCoverage =
				picture === undefined ? undefined : (await options.checkPicture(picture, form.options.background)).alphaCoverage;
			// Nobody would ask for it.
			if (signal.aborted) throw new HttpError("timeout", "The client has gone.");
			job = await queue.add({ options: form.options, picture, source: form.source, alphaCoverage });
		} finally {
			giveBack();
		}
		c.header("X-Job-Id", job.id);
		c.header("Location", `/jobs/${job.id}`);
		if (form.download === undefined) return c.json(jobView(job, queue.now(job.id)), 202);
		while (!isFinal(table.get(job.id))) {
			await table.changed(job.id, signal);
			if (signal.aborted) throw new HttpError("timeout", "The client has gone; the job goes on.");
		}
		const ended = table.get(job.id);
		if (form.download === "json" && ended.status === "done") return c.json(jobView(ended, queue.now(job.id)));
		if (ended.status !== "done") {
			const error = ended.error ?? { code: "aborted" as const, message: "The job was cancelled.", hint: null };
			return c.json({ error, job_id: job.id }, httpStatus[error.code] as 500);
		}
		return form.download === "glb"
			? fileAnswer(table.store, ended, "stage2/output.glb", "synchuman.glb")
			: zipAnswer(table.store, ended, jobView(ended, queue.now(job.id)));
	});
}

async function fetched(url: string | undefined, { fetching, maxUpload }: AppOptions, signal: AbortSignal): Promise<Uint8Array | undefined> {
	if (url === undefined) return undefined;
	if (fetching === undefined)
		throw new HttpError("forbidden", "image_url is off.", "Upload the picture, or start the server with --allow-url.");
	return fetchPicture(url, { ...fetching, maxBytes: maxUpload, signal });
}

/** Refuses a stage whose weights no worker has; where none is there, the job waits for one. */
function checkStage(stage: "1" | "2" | "both", workers: readonly WorkerReport[]): void {
	if (workers.length === 0) return;
	const has = (one: "stage1" | "stage2") => workers.some(({ stages }) => stages[one]);
	const lacking = stage !== "2" && !has("stage1") ? 1 : stage !== "1" && !has("stage2") ? 2 : undefined;
	if (lacking === undefined) return;
	throw new SyncHumanError("checkpoint", `The server has no weights of stage ${lacking}.`, `Ask for stage=stage${3 - lacking}.`);
}

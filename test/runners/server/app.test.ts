import { rmSync, writeFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SyncHumanError } from "../../../engine/error.ts";
import { decodeTexture } from "../../../runners/imageFile.ts";
import { describeBothQueues } from "../../support/bothQueues.ts";
import { gate } from "../../support/gate.ts";
import {
	continueForm,
	endedJob,
	eventually,
	jobOnce,
	personForm,
	postPerson,
	type SeenJob,
	stubWorker,
	type TestServer,
	testServer,
} from "../../support/testServer.ts";

describeBothQueues((choice) => {
	let server: TestServer;
	beforeAll(async () => {
		server = await testServer(choice());
	});
	afterAll(() => server.end());

	const get = (path: string, options: RequestInit = {}) => fetch(`${server.url}${path}`, options);
	const json = async (path: string, options: RequestInit = {}) => (await get(path, options)).json();
	const generate = async (fields: Readonly<Record<string, string>> = {}) =>
		get("/generate", { method: "POST", body: await personForm({ texture_size: "0", ...fields }) });
	const submitted = async (fields: Readonly<Record<string, string>> = {}) => (await (await generate(fields)).json()) as SeenJob;
	const errorOf = async (answer: Response) => [answer.status, ((await answer.json()) as SeenJob).error];

	describe("pages and state", () => {
		it("health, info and metrics have the documented fields", async () => {
			expect(await json("/health")).toMatchObject({ status: "ok", service: "synchuman", version: "0.1.0", stage1: true, stage2: true });
			expect(await json("/info")).toMatchObject({
				api_version: "0.1.0",
				stages: { stage1: { available: true, requires_kaolin: false }, stage2: { available: true } },
				gpu_info: { available: true, device: "a card", memory_mb: null },
			});
			const metrics = await (await get("/metrics")).text();
			expect(metrics).toMatch(/^synchuman_jobs_waiting 0$/m);
			expect(metrics).toMatch(/^synchuman_http_answers_total\{status="200"\} \d+$/m);
			for (const line of metrics.trim().split("\n")) expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="\w+"\})? [\d.]+)$/);
		});

		it("pages load nothing from elsewhere", async () => {
			for (const path of ["/", "/docs", "/page/page.js", "/page/docs.js", "/page/modelViewer.js", "/page/page.css"]) {
				const answer = await get(path);
				expect(answer.status, path).toBe(200);
				expect(answer.headers.get("content-security-policy")).toContain("default-src 'self'");
				expect(await answer.text(), path).not.toMatch(/(?:src|href|import|fetch)\W+https?:/);
			}
			expect((await get("/page/nothing.js")).status).toBe(404);
			expect((await get("/page/..%2fapp.ts")).status).toBe(404);
		});

		it("/openapi.json names every path that is answered", async () => {
			const { openapi, paths } = (await json("/openapi.json")) as { openapi: string; paths: Record<string, Record<string, unknown>> };
			expect(openapi).toBe("3.1.0");
			for (const path of Object.keys(paths)) {
				const answer = await get(path.replace("{id}", "0".repeat(32)).replace("{file}", "run.json"), { method: "OPTIONS" });
				expect([404, 405], path).toContain(answer.status);
			}
			const fields = paths["/generate"].post as { requestBody: { content: Record<string, { schema: { properties: object } }> } };
			expect(Object.keys(fields.requestBody.content["multipart/form-data"].schema.properties)).toEqual(
				expect.arrayContaining(["image", "image_url", "stage", "stage1_steps", "stage2_steps", "download", "job_id"]),
			);
		});

		it("what is not there is said in one form", async () => {
			expect(await errorOf(await get("/nothing"))).toEqual([
				404,
				{ code: "not-found", message: "There is no such page.", hint: "See /docs." },
			]);
			expect((await errorOf(await get("/generate")))[0]).toBe(405);
			expect((await errorOf(await get(`/jobs/${"0".repeat(32)}`)))[0]).toBe(404);
			expect((await errorOf(await get("/jobs/..%2f..%2fetc")))[0]).toBe(404);
		});
	});

	describe("POST /generate", () => {
		it("answers at once; the job then goes to its end with every documented file", async () => {
			const answer = await generate({ stage1_steps: "3", stage2_steps: "2", seed: "7", guidance: "2.5" });
			expect(answer.status).toBe(202);
			const job = (await answer.json()) as SeenJob;
			expect(answer.headers.get("location")).toBe(`/jobs/${job.job_id}`);
			expect(job.result).toMatchObject({
				stage1: { output_dir: `/jobs/${job.job_id}/stage1` },
				stage2: { output_dir: `/jobs/${job.job_id}/stage2` },
			});
			const ended = await endedJob(server.url, job.job_id);
			expect(ended).toMatchObject({
				status: "done",
				error: null,
				options: { stage1_steps: 3, stage2_steps: 2, seed: 7, guidance: 2.5, texture_size: 0 },
				result: { alpha_coverage: 0.1875, stage1: { status: "done", steps: 3 }, stage2: { status: "done", steps: 2 } },
			});
			const names = ended.result.files.map((file) => file.slice(`/jobs/${job.job_id}/`.length));
			for (const i of [0, 1, 2, 3, 4]) expect(names).toEqual(expect.arrayContaining([`stage1/color_${i}.png`, `stage1/normal_${i}.png`]));
			expect(names).toEqual(
				expect.arrayContaining(["stage1/latent.npz", "stage1/input.png", "stage2/output.glb", "preview.png", "run.json"]),
			);
			expect(names).not.toContain("upload");
			for (const file of ended.result.files) expect((await get(file)).status, file).toBe(200);
			expect(await json(`/jobs/${job.job_id}/run.json`)).toMatchObject({ seed: 7, steps: 3, guidance: 2.5, stageTwoSteps: 2 });
			const latent = await (await get(`/jobs/${job.job_id}/stage1/latent.npz`)).arrayBuffer();
			expect(await (await get(`/jobs/${job.job_id}/stage1/coordinates.npz`)).arrayBuffer()).toEqual(latent);
			expect(await json(`/jobs/${job.job_id}/stage1`)).toMatchObject({ output_dir: `/jobs/${job.job_id}/stage1` });
			const listed = (await json("/jobs")) as { jobs: SeenJob[] };
			expect(listed.jobs[0].job_id).toBe(job.job_id);
		});

		it("download=true waits for the documented ZIP, glb for the GLB, json for the job", async () => {
			const zip = await generate({ download: "true" });
			expect(zip.headers.get("content-disposition")).toMatch(/^attachment; filename="synchuman_results_[0-9a-f]{32}\.zip"$/);
			const files = unzipSync(new Uint8Array(await zip.arrayBuffer()));
			expect(Object.keys(files)).toEqual(
				expect.arrayContaining(["stage1/color_0.png", "stage1/latent.npz", "stage2/output.glb", "results_metadata.json"]),
			);
			expect(JSON.parse(new TextDecoder().decode(files["results_metadata.json"]))).toMatchObject({ status: "done" });
			const glb = await generate({ download: "glb" });
			expect(glb.headers.get("content-type")).toBe("model/gltf-binary");
			expect(new TextDecoder().decode((await glb.arrayBuffer()).slice(0, 4))).toBe("glTF");
			expect(await (await generate({ download: "true", format: "json" })).json()).toMatchObject({ status: "done" });
		});

		it("stage 1 alone, then stage 2 from its job_id", async () => {
			const first = await endedJob(server.url, (await submitted({ stage: "stage1" })).job_id);
			expect(first).toMatchObject({ status: "done", stage: "stage1", result: { stage2: { status: "skipped", output_dir: null } } });
			const body = continueForm(first.job_id, { texture_size: "0", download: "json" });
			const second = (await (await get("/generate", { method: "POST", body })).json()) as SeenJob;
			expect(second).toMatchObject({
				status: "done",
				stage: "stage2",
				result: { stage1: { status: "skipped", job_id: first.job_id }, stage2: { status: "done" } },
			});
			expect(await json(`/jobs/${second.job_id}/run.json`)).toMatchObject({ stages: ["2"], stageOneRun: { stages: ["1"] } });
		});

		it("refuses what a form cannot mean", async () => {
			const cases: [Readonly<Record<string, string>>, RegExp][] = [
				[{ stage: "three" }, /must be both, stage1 or stage2/],
				[{ stage1_steps: "0" }, /^stage1_steps must be a whole number from 1 to 1000, got 0\.$/],
				[{ seed: "a" }, /^seed must be/],
				[{ texture_size: "1000" }, /^texture_size must be 0 or a power of two/],
				[{ preset: "slow" }, /^preset must be quick or balanced or high/],
				[{ simplify: "2" }, /^simplify/],
				[{ stage: "stage2" }, /takes job_id/],
				[{ job_id: "0".repeat(32) }, /one of them is meant/],
				[{ stage: "stage1", download: "glb" }, /makes no GLB/],
				[{ download: "tar" }, /must be glb, zip or json/],
				[{ weights: "/etc" }, /which there is not/],
				[{ unlit: "maybe" }, /true or false/],
				[{ background: "blue" }, /^background must be auto/],
			];
			for (const [fields, message] of cases) {
				const [status, error] = await errorOf(await generate(fields));
				expect([status, error], JSON.stringify(fields)).toEqual([
					422,
					{ code: "input", message: expect.stringMatching(message), hint: expect.any(String) },
				]);
			}
			const missing = await get("/generate", { method: "POST", body: continueForm("0".repeat(32)) });
			expect(missing.status).toBe(404);
			const url = new FormData();
			url.set("image_url", "http://example.org/a.png");
			expect(await errorOf(await get("/generate", { method: "POST", body: url }))).toMatchObject([403, { message: "image_url is off." }]);
		});
	});

	describe("jobs", () => {
		it("events show every stage and end with the job", async () => {
			// Long enough for a worker elsewhere to give the views meanwhile.
			const stageTwo = gate();
			const slow = await testServer({ ...choice(), worker: stubWorker({ stageTwoMs: stageTwo.opened }) });
			const body = await personForm({ texture_size: "0" });
			const { job_id } = (await (await fetch(`${slow.url}/generate`, { method: "POST", body })).json()) as SeenJob;
			const stream = (await fetch(`${slow.url}/jobs/${job_id}/events`)).body as ReadableStream<Uint8Array<ArrayBuffer>>;
			let text = "";
			for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
				text += piece;
				if (text.includes("color_0.png")) stageTwo.open();
			}
			await slow.end();
			const seen = [...text.matchAll(/^event: job\ndata: (.+)$/gm)].map(([, data]) => JSON.parse(data) as SeenJob);
			expect(seen.map(({ status }) => status)).toEqual(expect.arrayContaining(["running", "done"]));
			expect(seen.at(-1)).toMatchObject({ status: "done", links: { glb: `/jobs/${job_id}/stage2/output.glb` } });
			// Views are there while stage 2 runs.
			expect(seen.some(({ status, result }) => status === "running" && result.files.some((file) => file.endsWith("color_0.png")))).toBe(
				true,
			);
		});

		it("shows the views of a job that runs as they are so far", async () => {
			const [stageOne, stageTwo] = [gate(), gate()];
			const slow = await testServer({ ...choice(), worker: stubWorker({ stageMs: stageOne.opened, stageTwoMs: stageTwo.opened }) });
			const body = await personForm({ texture_size: "0" });
			const { job_id } = (await (await fetch(`${slow.url}/generate`, { method: "POST", body })).json()) as SeenJob;
			const early = await fetch(`${slow.url}/jobs/${job_id}/views.webp`);
			expect(await errorOf(early)).toMatchObject([404, { message: "There are no views to be seen now." }]);
			stageOne.open();
			const viewsOf = ({ progress }: SeenJob) => (progress as { readonly views: string | null } | null)?.views ?? null;
			const views = viewsOf(await jobOnce(slow.url, job_id, (job) => viewsOf(job) !== null));
			expect(views).toBe(`/jobs/${job_id}/views.webp?step=1`);
			const answer = await fetch(`${slow.url}${views}`);
			expect(answer.headers.get("content-type")).toBe("image/webp");
			expect(await decodeTexture(new Uint8Array(await answer.arrayBuffer()), "views")).toMatchObject({ width: 10, height: 2 });
			stageTwo.open();
			await endedJob(slow.url, job_id);
			expect((await fetch(`${slow.url}${views}`)).status).toBe(404);
			await slow.end();
		});

		it("DELETE cancels one that waits, stops one that runs, removes one that has ended", async () => {
			const slow = await testServer({ ...choice(), worker: stubWorker({ stageMs: 60_000 }) });
			const send = async () =>
				(await (await fetch(`${slow.url}/generate`, { method: "POST", body: await personForm() })).json()) as SeenJob;
			const [first, second, third] = [await send(), await send(), await send()];
			const remove = async (id: string) => {
				const answer = await fetch(`${slow.url}/jobs/${id}`, { method: "DELETE" });
				return [answer.status, ((await answer.json()) as SeenJob).status];
			};
			expect(await remove(second.job_id)).toEqual([200, "cancelled"]);
			expect(await (await fetch(`${slow.url}/jobs/${third.job_id}`)).json()).toMatchObject({ status: "queued", position: 1 });
			expect(await remove(first.job_id)).toEqual([202, "stopping"]);
			expect((await endedJob(slow.url, first.job_id)).status).toBe("cancelled");
			expect(await remove(first.job_id)).toEqual([200, "removed"]);
			expect((await fetch(`${slow.url}/jobs/${first.job_id}`)).status).toBe(404);
			await slow.end();
		});

		it("an error of the engine is the job's, with its HTTP status for who waits", async () => {
			const fail = new SyncHumanError("memory", "stage 1: diffusion needs 9 bytes of GPU memory, more than the 8 allowed.", "Raise it.");
			const failing = await testServer({ ...choice(), worker: stubWorker({ stageMs: 1, fail }) });
			const answer = await fetch(`${failing.url}/generate`, { method: "POST", body: await personForm({ download: "true" }) });
			expect(await errorOf(answer)).toEqual([503, { code: "memory", message: fail.message, hint: "Raise it." }]);
			await failing.end();
		});

		it("a client that waits and goes leaves the job alone", async () => {
			const controller = new AbortController();
			const body = await personForm({ texture_size: "0", download: "true" });
			const before = server.queue.table.list().length;
			const waiting = get("/generate", { method: "POST", body, signal: controller.signal }).catch(() => "gone");
			const accepted = () => server.queue.table.list().length > before || undefined;
			await eventually(accepted, () => "the job is not accepted");
			controller.abort();
			expect(await waiting).toBe("gone");
			const { jobs } = (await json("/jobs")) as { jobs: SeenJob[] };
			expect((await endedJob(server.url, jobs[0].job_id)).status).toBe("done");
			expect(server.said.join("")).not.toMatch(/Error/);
		});

		it("an upload of unknown length ends at the limit", async () => {
			const small = await testServer({ ...choice(), maxUpload: 1e6 });
			const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1e5)) });
			const headers = { "content-type": "multipart/form-data; boundary=x" };
			const answer = await fetch(`${small.url}/generate`, { method: "POST", body, headers, duplex: "half" } as RequestInit);
			expect(await errorOf(answer)).toMatchObject([413, { code: "too-large" }]);
			await small.end();
		});

		it("a disk that cannot be written is said, and the place in the queue is free again", async () => {
			const broken = await testServer({ ...choice(), maxQueue: 1 });
			rmSync(broken.jobs, { recursive: true });
			writeFileSync(broken.jobs, "");
			for (let i = 0; i < 3; i++) {
				const answer = await fetch(`${broken.url}/generate`, { method: "POST", body: await personForm() });
				const [status, error] = await errorOf(answer);
				expect([status, error]).toMatchObject([507, { code: "disk" }]);
				expect(JSON.stringify(error)).not.toContain(broken.jobs);
			}
			await broken.end();
		});

		it("results are kept for a number of bytes and a time", async () => {
			const small = await testServer({ ...choice(), keepBytes: 1 });
			const { job_id } = await postPerson(small.url);
			while ((await fetch(`${small.url}/jobs/${job_id}`)).status === 200) await new Promise((resolve) => setTimeout(resolve, 10));
			expect(small.queue.table.list()).toEqual([]);
			await small.end();
		});
	});
});

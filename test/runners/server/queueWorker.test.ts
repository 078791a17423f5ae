import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SyncHumanError } from "../../../engine/error.ts";
import { bullmqLine } from "../../../runners/server/bullmqLine.ts";
import { openRedis } from "../../../runners/server/redisConnection.ts";
import { gate } from "../../support/gate.ts";
import { noRedis, type RedisServer, redisServer } from "../../support/redisServer.ts";
import {
	endedJob,
	eventually,
	inStageTwo,
	jobOnce,
	personForm,
	personPng,
	type SeenJob,
	seenJob,
	stubWorker,
	type TestServer,
	testServer,
	testWorker,
} from "../../support/testServer.ts";

// What only a queue on Redis has: workers elsewhere, which come, go and die, and connections that are lost. What both queues have is in
// app.test.ts and load.test.ts.

const post = async (url: string, fields: Readonly<Record<string, string>> = {}) =>
	(await (await fetch(`${url}/generate`, { method: "POST", body: await personForm({ texture_size: "0", ...fields }) })).json()) as SeenJob;
/** Milliseconds of a stage that does not end in a test, and of a lock after which a killed worker is missed. */
const [long, lockMs] = [600_000, 1500];
const json = async (url: string) => (await fetch(url)).json();

describe.skipIf(noRedis !== undefined)(`workers of a queue${noRedis === undefined ? "" : ` (skipped: ${noRedis})`}`, () => {
	let redis: RedisServer;
	let server: TestServer;
	let queue: string;
	let database = 0;
	/** What killed workers leave behind. */
	let left: string;
	const serverProgram = join("dist", `servedQueueStub-${process.pid}.mjs`);
	const program = join("dist", `workerStub-${process.pid}.mjs`);
	const children: ChildProcess[] = [];
	const workers: { close(graceMs?: number): Promise<void> }[] = [];
	beforeAll(async () => {
		redis = await redisServer();
		left = mkdtempSync(join(tmpdir(), "synchuman-left-"));
		const plain = { bundle: true, packages: "external", platform: "node", target: "node20", format: "esm" } as const;
		await build({ entryPoints: ["test/support/workerStub.ts"], outfile: program, ...plain });
		await build({ entryPoints: ["test/support/servedStub.ts"], outfile: serverProgram, ...plain });
	});
	afterEach(async () => {
		for (const child of children.splice(0)) child.kill("SIGKILL");
		for (const worker of workers.splice(0)) await worker.close();
		await server.end();
	});
	afterAll(async () => {
		await redis.end();
		for (const made of [program, serverProgram]) rmSync(made, { force: true });
		rmSync(left, { recursive: true, force: true });
	});

	async function opened(options: Parameters<typeof testServer>[0] = {}): Promise<TestServer> {
		queue = `${redis.url}/${database++}`;
		server = await testServer({ queue, worker: null, ...options });
		return server;
	}
	async function worker(stages: Parameters<typeof stubWorker>[0], times: Parameters<typeof testWorker>[2] = {}) {
		const made = await testWorker(queue, stubWorker(stages), times);
		workers.push(made);
		return made;
	}
	/** A worker in a process of its own, which can be killed; its second stage does not end. */
	async function killable(stageMs: number): Promise<ChildProcess> {
		const argv = [program, queue, String(stageMs), String(long), String(lockMs)];
		const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, TMPDIR: left } });
		children.push(child);
		await new Promise((ready) => child.stdout?.once("data", ready));
		return child;
	}

	it("jobs wait for workers; two workers do two jobs at once, and the server says which there are", async () => {
		const { url } = await opened();
		expect(await json(`${url}/health`)).toMatchObject({
			status: "ok",
			stage1: false,
			message: "No worker is connected: jobs wait for one.",
		});
		const ids = [(await post(url)).job_id, (await post(url)).job_id, (await post(url)).job_id];
		expect(await seenJob(url, ids[2])).toMatchObject({ status: "queued", position: 3 });
		await Promise.all([worker({ stageMs: long }), worker({ stageMs: long })]);
		for (const id of ids.slice(0, 2)) await jobOnce(url, id, ({ status }) => status === "running");
		expect(await seenJob(url, ids[2])).toMatchObject({ status: "queued", position: 1 });
		await fetch(`${url}/jobs/${ids[0]}`, { method: "DELETE" });
		await jobOnce(url, ids[2], ({ status }) => status === "running");
		expect(await seenJob(url, ids[1])).toMatchObject({ status: "running" });
		type Info = { readonly workers: readonly object[]; readonly gpu_info: object };
		const info = async () => (await json(`${url}/info`)) as Info;
		const both = async () => ((await info()).workers.length === 2 ? info() : undefined);
		const { workers: there, gpu_info } = await eventually(both, () => "there are not two workers");
		expect(there).toEqual([expect.objectContaining({ device: "a card", host: expect.any(String) }), expect.anything()]);
		expect(gpu_info).toMatchObject({ available: true, device: "a card" });
	});

	it("kill -9 of a worker: another one goes on from stage 1; after a second one the job says so", async () => {
		const { url } = await opened();
		const [first, second] = [await killable(1), await killable(1)];
		const { job_id } = await post(url);
		await jobOnce(url, job_id, inStageTwo);
		first.kill("SIGKILL");
		second.kill("SIGKILL");
		await worker({ stageMs: 1 }, { lockMs });
		const ended = await endedJob(url, job_id);
		expect(ended).toMatchObject({ status: "done", error: null });
		expect(await json(`${url}/jobs/${job_id}/run.json`)).toMatchObject({ stages: ["2"], stageOneRun: { stages: ["1"] } });
		expect(server.said.join("")).toContain("its worker has gone; it waits again");

		for (const made of workers.splice(0)) await made.close();
		const doomed = await post(url);
		let begun: unknown = null;
		for (let i = 0; i < 2; i++) {
			const killed = await killable(long);
			await jobOnce(url, doomed.job_id, ({ status, started_at }) => status === "running" && started_at !== begun);
			begun = (await seenJob(url, doomed.job_id)).started_at;
			killed.kill("SIGKILL");
		}
		await worker({ stageMs: 1 }, { lockMs });
		expect(await endedJob(url, doomed.job_id)).toMatchObject({
			status: "failed",
			error: {
				code: "interrupted",
				message: "The worker that ran this job ended in the middle of it, and so did the one that tried again.",
				hint: "Send the picture again.",
			},
		});
	});

	it("SIGTERM of a worker gives the job back, and another one goes on from its stage 1", async () => {
		const { url } = await opened();
		const leaving = await worker({ stageMs: 1, stageTwoMs: long });
		const { job_id } = await post(url);
		await jobOnce(url, job_id, inStageTwo);
		await leaving.close(0);
		expect(leaving.said.join("\n")).toContain("goes back to the queue");
		await jobOnce(url, job_id, ({ status }) => status === "queued");
		await worker({ stageMs: 1 });
		expect((await endedJob(url, job_id)).status).toBe("done");
		expect(await json(`${url}/jobs/${job_id}/run.json`)).toMatchObject({ stages: ["2"] });
	});

	it("a server that is away for a while and comes back elsewhere has the job's results", async () => {
		const { url, jobs } = await opened();
		const away = gate();
		const done = await worker({ stageMs: away.opened });
		const [running, waiting] = [await post(url), await post(url)];
		await jobOnce(url, running.job_id, ({ status }) => status === "running");
		await server.close();
		away.open();
		// Meanwhile the worker has results to give.
		const noticed = () => done.said.some((line) => line.includes("does not answer (ECONNREFUSED); trying again")) || undefined;
		await eventually(noticed, () => done.said.join("\n"));
		server = await testServer({ queue, jobs, worker: null });
		expect(server.url).not.toBe(url);
		for (const { job_id } of [running, waiting]) {
			const ended = await endedJob(server.url, job_id);
			expect(ended, JSON.stringify(ended.error)).toMatchObject({ status: "done", result: { stage2: { status: "done" } } });
			expect((await fetch(`${server.url}${ended.result.files[0]}`)).status).toBe(200);
		}
		expect(done.said.join("\n")).toContain("the server answers again");
		expect(readdirSync(done.folder)).toEqual([]);
	});

	it("kill -9 of the server in mid-job: the job runs on, and the next start has it and those that had ended", async () => {
		const { jobs } = await opened();
		const started = async () => {
			const argv = [serverProgram, jobs, "1", "1", queue];
			const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
			children.push(child);
			const url = await new Promise<string>((ready) => child.stdout?.once("data", (text) => ready(String(text).trim())));
			return { child, url };
		};
		await worker({ stageMs: 300 });
		const first = await started();
		const done = await endedJob(first.url, (await post(first.url)).job_id);
		const [running, waiting] = [await post(first.url), await post(first.url)];
		await jobOnce(first.url, running.job_id, ({ status }) => status === "running");
		first.child.kill("SIGKILL");
		const { url } = await started();
		for (const { job_id } of [running, waiting]) expect(await endedJob(url, job_id)).toMatchObject({ error: null, status: "done" });
		expect(await seenJob(url, done.job_id)).toEqual(done);
	});

	it("Redis that ends and comes back empty: one line each, 503 meanwhile, and every job is done", async () => {
		const { url } = await opened();
		await worker({ stageMs: 600 });
		const [running, waiting] = [await post(url), await post(url)];
		await jobOnce(url, running.job_id, ({ status }) => status === "running");
		await redis.kill();
		const refused = await fetch(`${url}/generate`, { method: "POST", body: await personForm({ texture_size: "0" }) });
		expect([refused.status, await refused.json()]).toEqual([
			503,
			{ error: { code: "unavailable", message: "The queue cannot be reached.", hint: "Try again in a minute." } },
		]);
		expect(refused.headers.get("retry-after")).toBe("30");
		await redis.restart();
		for (const { job_id } of [running, waiting]) expect(await endedJob(url, job_id)).toMatchObject({ error: null, status: "done" });
		const lines = server.said
			.join("")
			.split("\n")
			.filter((line) => line.includes(redis.url));
		expect(lines.map((line) => line.replace(/^\S+Z /, ""))).toEqual([
			expect.stringMatching(/^queue: /),
			`${queue}: the connection is lost; trying again`,
			`${queue}: connected again`,
		]);
	});

	it("a worker that cannot reach the server fails the job with the address", async () => {
		const { url } = await opened({ address: "http://127.0.0.1:9" });
		await worker({ stageMs: 1 }, { beginMs: 300 });
		expect(await endedJob(url, (await post(url)).job_id)).toMatchObject({
			status: "failed",
			error: {
				code: "unavailable",
				message: expect.stringMatching(/^The worker on \S+ cannot reach the server at http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\)\.$/),
				hint: "Start the server with --address http://HOST:PORT that workers reach.",
			},
		});
	});

	it("a job that a worker has can be cancelled, and one whose worker is gone too", async () => {
		const { url } = await opened();
		const child = await killable(long);
		const first = await post(url);
		await jobOnce(url, first.job_id, ({ status }) => status === "running");
		await fetch(`${url}/jobs/${first.job_id}`, { method: "DELETE" });
		expect((await endedJob(url, first.job_id)).status).toBe("cancelled");
		const second = await post(url);
		await jobOnce(url, second.job_id, ({ status }) => status === "running");
		child.kill("SIGKILL");
		expect(await (await fetch(`${url}/jobs/${second.job_id}`, { method: "DELETE" })).json()).toMatchObject({ status: "stopping" });
		expect((await endedJob(url, second.job_id)).status).toBe("cancelled");
	});

	it("what is asked of jobs while the server begins waits until all of them are in their places", async () => {
		const { url, jobs } = await opened();
		const { job_id } = await post(url);
		await server.close();
		const record = JSON.parse(readFileSync(join(jobs, job_id, "job.json"), "utf8"));
		const ids = [job_id];
		for (let i = 1; i < 100; i++) {
			const id = i.toString(16).padStart(32, "0");
			cpSync(join(jobs, job_id), join(jobs, id), { recursive: true });
			const createdAt = new Date(Date.parse(record.createdAt) + i).toISOString();
			writeFileSync(join(jobs, id, "job.json"), JSON.stringify({ ...record, id, createdAt }));
			ids.push(id);
		}
		const { port } = new URL(url);
		const starting = testServer({ queue, jobs, port: Number(port), worker: null });
		const last = ids.at(-1) as string;
		const removed = async () => (await fetch(`${url}/jobs/${last}`, { method: "DELETE" }).catch(() => undefined))?.json();
		expect(await eventually(removed, () => "the server does not listen")).toMatchObject({ job_id: last, status: "cancelled" });
		server = await starting;
		expect(await seenJob(url, last)).toMatchObject({ status: "cancelled" });
		expect(await seenJob(url, ids[98])).toMatchObject({ status: "queued", position: 99 });
	});

	it("a job that is cancelled while it is put into the queue is not there", async () => {
		const line = await bullmqLine({
			redis: await openRedis(`${redis.url}/${database++}`, () => {}),
			address: () => "http://here",
			checkMs: long,
		});
		const controller = new AbortController();
		const watch = { task: () => expect.fail(), signal: controller.signal, onStart: () => {}, onReturn: () => {}, onEvent: () => {} };
		const putting = line.put("a", watch);
		controller.abort();
		await expect((await putting).ended).rejects.toMatchObject({ code: "aborted" });
		await line.close(0);
	});

	it("only who has the job's key may give results, under names of results alone", async () => {
		const { url, queue: jobs } = await opened({ token: "open" });
		const body = await personForm({ texture_size: "0" });
		const answer = await fetch(`${url}/generate`, { method: "POST", body, headers: { authorization: "Bearer open" } });
		const { job_id } = (await answer.json()) as SeenJob;
		const { Queue } = await import("bullmq");
		const { Redis } = await import("ioredis");
		const connection = new Redis(queue, { maxRetriesPerRequest: null });
		const inRedis = new Queue("synchuman", { connection });
		const { key } = (await inRedis.getJob(`job-${job_id}`))?.data ?? {};
		await inRedis.close();
		connection.disconnect();
		const put = async (name: string, bearer: string, run = "a") => {
			const headers = { authorization: `Bearer ${bearer}`, "x-run": run };
			return (await fetch(`${url}/work/${job_id}/files/${name}`, { method: "PUT", body: "x", headers })).status;
		};
		expect(await put("stage1/a.png", "open")).toBe(401);
		expect(await put("stage1/a.png", "0".repeat(64))).toBe(401);
		expect(await put("stage1/a.png", key)).toBe(204);
		for (const name of ["job.json", "upload", "..%2f..%2fa", ".hidden", "a%2fb%2fc.png", "stage1/.x.part", "%2fetc%2fpasswd"]) {
			expect(await put(name, key), name).toBe(403);
		}
		const begin = await fetch(`${url}/work/${job_id}/input`, { headers: { authorization: `Bearer ${key}`, "x-run": "b" } });
		expect(await begin.json()).toMatchObject({ files: ["upload"], options: { textureSize: 0 } });
		const rest = { headers: { authorization: `Bearer ${key}`, "x-run": "b", range: "bytes=10-" } };
		const tail = await fetch(`${url}/work/${job_id}/input/upload`, rest);
		const whole = await personPng();
		expect([tail.status, tail.headers.get("content-range")]).toEqual([206, `bytes 10-${whole.length - 1}/${whole.length}`]);
		expect(Buffer.compare(new Uint8Array(await tail.arrayBuffer()), whole.subarray(10))).toBe(0);
		// The attempt before has lost the job.
		expect(await put("stage1/b.png", key, "a")).toBe(409);
		const { files } = await jobs.table.store.files(job_id);
		expect(files).toEqual(["stage1/a.png"]);
	});

	it("a worker whose card is broken takes no more jobs, and another one does the rest", async () => {
		const { url } = await opened();
		const ids: string[] = [];
		for (let i = 0; i < 5; i++) ids.push((await post(url)).job_id);
		const fail = new SyncHumanError("device", "The process that holds the GPU ended (SIGSEGV).", "Try again.");
		const bad = await worker({ stageMs: 1, fail });
		await expect(bad.broken).rejects.toMatchObject({ code: "device", message: "The last 3 jobs failed on a card." });
		await worker({ stageMs: 1 });
		const ends = [];
		for (const id of ids) ends.push((await endedJob(url, id)).status);
		expect(ends).toEqual(["failed", "failed", "failed", "done", "done"]);
	});

	it("a worker with one stage alone does not begin", async () => {
		await opened();
		const half = stubWorker({ stages: { stage1: true, stage2: false } });
		await expect(testWorker(queue, half)).rejects.toEqual(
			new SyncHumanError("checkpoint", "The weights of the second stage are not there.", "Workers of a queue need both stages."),
		);
	});
});

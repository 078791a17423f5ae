import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bullmqLine } from "../../../runners/server/bullmqLine.ts";
import { openRedis } from "../../../runners/server/redisConnection.ts";
import { gate } from "../../support/gate.ts";
import { describeRedisQueue } from "../../support/redisQueue.ts";
import { endedJob, eventually, jobOnce, personForm, personPng, postPerson, type SeenJob, seenJob } from "../../support/testServer.ts";

// The server's side of a queue on Redis: servers that go and come back, connections that are lost, and who may give results. The workers'
// side is in queueWorker.test.ts.

describeRedisQueue("a server with a queue", "servedStub", ({ redis, newQueue, queue, opened, worker, started }) => {
	it("a server that is away for a while and comes back elsewhere has the job's results", async () => {
		const { url, jobs, close } = await opened();
		const away = gate();
		const done = await worker({ stageMs: away.opened });
		const [running, waiting] = [await postPerson(url), await postPerson(url)];
		await jobOnce(url, running.job_id, ({ status }) => status === "running");
		await close();
		away.open();
		// Meanwhile the worker has results to give. What it says first may be of a connection that the server's end broke off.
		const noticed = () => done.said.some((line) => /does not answer \(.+\); trying again/.test(line)) || undefined;
		await eventually(noticed, () => done.said.join("\n"));
		const server = await opened({ queue: queue(), jobs });
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
		const begun = async () => {
			const { child, said } = await started(jobs, "1", "1", queue());
			return { child, url: said.trim() };
		};
		await worker({ stageMs: 300 });
		const first = await begun();
		const done = await endedJob(first.url, (await postPerson(first.url)).job_id);
		const [running, waiting] = [await postPerson(first.url), await postPerson(first.url)];
		await jobOnce(first.url, running.job_id, ({ status }) => status === "running");
		first.child.kill("SIGKILL");
		const { url } = await begun();
		for (const { job_id } of [running, waiting]) expect(await endedJob(url, job_id)).toMatchObject({ error: null, status: "done" });
		expect(await seenJob(url, done.job_id)).toEqual(done);
	});

	it("Redis that ends and comes back empty: one line each, 503 meanwhile, and every job is done", async () => {
		const { url, said } = await opened();
		await worker({ stageMs: 600 });
		const [running, waiting] = [await postPerson(url), await postPerson(url)];
		await jobOnce(url, running.job_id, ({ status }) => status === "running");
		await redis().kill();
		const refused = await fetch(`${url}/generate`, { method: "POST", body: await personForm({ texture_size: "0" }) });
		expect([refused.status, await refused.json()]).toEqual([
			503,
			{ error: { code: "unavailable", message: "The queue cannot be reached.", hint: "Try again in a minute." } },
		]);
		expect(refused.headers.get("retry-after")).toBe("30");
		await redis().restart();
		for (const { job_id } of [running, waiting]) expect(await endedJob(url, job_id)).toMatchObject({ error: null, status: "done" });
		const lines = said
			.join("")
			.split("\n")
			.filter((line) => line.includes(redis().url));
		expect(lines.map((line) => line.replace(/^\S+Z /, ""))).toEqual([
			expect.stringMatching(/^queue: /),
			`${queue()}: the connection is lost; trying again`,
			`${queue()}: connected again`,
		]);
	});

	it("what is asked of jobs while the server begins waits until all of them are in their places", async () => {
		const { url, jobs, close } = await opened();
		const { job_id } = await postPerson(url);
		await close();
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
		const starting = opened({ queue: queue(), jobs, port: Number(port) });
		const last = ids.at(-1) as string;
		const removed = async () => (await fetch(`${url}/jobs/${last}`, { method: "DELETE" }).catch(() => undefined))?.json();
		expect(await eventually(removed, () => "the server does not listen")).toMatchObject({ job_id: last, status: "cancelled" });
		await starting;
		expect(await seenJob(url, last)).toMatchObject({ status: "cancelled" });
		expect(await seenJob(url, ids[98])).toMatchObject({ status: "queued", position: 99 });
	});

	it("a job that is cancelled while it is put into the queue is not there", async () => {
		const line = await bullmqLine({
			redis: await openRedis(newQueue(), () => {}),
			address: () => "http://here",
			checkMs: 600_000,
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
		const connection = new Redis(queue(), { maxRetriesPerRequest: null });
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
});

import { expect, it } from "vitest";
import { SyncHumanError } from "../../../engine/error.ts";
import { describeRedisQueue } from "../../support/redisQueue.ts";
import { endedJob, eventually, inStageTwo, jobOnce, postPerson, seenJob, stubWorker, testWorker } from "../../support/testServer.ts";

// Workers elsewhere, which come, go and die: what only a queue on Redis has. Servers and connections that do are in bullmqLine.test.ts, what
// both queues have in app.test.ts and load.test.ts.

/** Milliseconds of a stage that does not end in a test, and of a lock after which a killed worker is missed. */
const [long, lockMs] = [600_000, 1500];
const json = async (url: string) => (await fetch(url)).json();

describeRedisQueue("workers of a queue", "workerStub", ({ queue, opened, worker, started }) => {
	/** A worker in a process of its own, which can be killed; its second stage does not end. */
	const killable = async (stageMs: number) => (await started(queue(), String(stageMs), String(long), String(lockMs))).child;

	it("jobs wait for workers; two workers do two jobs at once, and the server says which there are", async () => {
		const { url } = await opened();
		expect(await json(`${url}/health`)).toMatchObject({
			status: "ok",
			stage1: false,
			message: "No worker is connected: jobs wait for one.",
		});
		const ids = [(await postPerson(url)).job_id, (await postPerson(url)).job_id, (await postPerson(url)).job_id];
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
		const { url, said } = await opened();
		const [first, second] = [await killable(1), await killable(1)];
		const { job_id } = await postPerson(url);
		await jobOnce(url, job_id, inStageTwo);
		first.kill("SIGKILL");
		second.kill("SIGKILL");
		const other = await worker({ stageMs: 1 }, { lockMs });
		const ended = await endedJob(url, job_id);
		expect(ended).toMatchObject({ status: "done", error: null });
		expect(await json(`${url}/jobs/${job_id}/run.json`)).toMatchObject({ stages: ["2"], stageOneRun: { stages: ["1"] } });
		expect(said.join("")).toContain("its worker has gone; it waits again");

		await other.close();
		const doomed = await postPerson(url);
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
		const { job_id } = await postPerson(url);
		await jobOnce(url, job_id, inStageTwo);
		await leaving.close(0);
		expect(leaving.said.join("\n")).toContain("goes back to the queue");
		await jobOnce(url, job_id, ({ status }) => status === "queued");
		await worker({ stageMs: 1 });
		expect((await endedJob(url, job_id)).status).toBe("done");
		expect(await json(`${url}/jobs/${job_id}/run.json`)).toMatchObject({ stages: ["2"] });
	});

	it("a worker that cannot reach the server fails the job with the address", async () => {
		const { url } = await opened({ address: "http://127.0.0.1:9" });
		await worker({ stageMs: 1 }, { beginMs: 300 });
		expect(await endedJob(url, (await postPerson(url)).job_id)).toMatchObject({
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
		const first = await postPerson(url);
		await jobOnce(url, first.job_id, ({ status }) => status === "running");
		await fetch(`${url}/jobs/${first.job_id}`, { method: "DELETE" });
		expect((await endedJob(url, first.job_id)).status).toBe("cancelled");
		const second = await postPerson(url);
		await jobOnce(url, second.job_id, ({ status }) => status === "running");
		child.kill("SIGKILL");
		expect(await (await fetch(`${url}/jobs/${second.job_id}`, { method: "DELETE" })).json()).toMatchObject({ status: "stopping" });
		expect((await endedJob(url, second.job_id)).status).toBe("cancelled");
	});

	it("a worker whose card is broken takes no more jobs, and another one does the rest", async () => {
		const { url } = await opened();
		const ids: string[] = [];
		for (let i = 0; i < 5; i++) ids.push((await postPerson(url)).job_id);
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
		await expect(testWorker(queue(), half)).rejects.toEqual(
			new SyncHumanError("checkpoint", "The weights of the second stage are not there.", "Workers of a queue need both stages."),
		);
	});
});

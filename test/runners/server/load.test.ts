import { afterEach, expect, it } from "vitest";
import { SyncHumanError } from "../../../engine/error.ts";
import { describeBothQueues } from "../../support/bothQueues.ts";
import { endedJob, personForm, postPerson, type SeenJob, stubWorker, type TestServer, testServer } from "../../support/testServer.ts";

const fail = new SyncHumanError("device", "The GPU is gone.");

describeBothQueues((choice) => {
	let server: TestServer;
	afterEach(() => server.end());

	it("200 uploads at once: a bounded number waits, the others are told when to come back, every accepted job ends", async () => {
		server = await testServer({ ...choice(), worker: stubWorker({ stageMs: 25, fail, failEvery: 7 }), maxQueue: 12 });
		const form = await personForm({ texture_size: "0" });
		let most = 0;
		const answers = await Promise.all(
			Array.from({ length: 200 }, async () => {
				const answer = await fetch(`${server.url}/generate`, { method: "POST", body: form });
				most = Math.max(most, server.queue.waiting);
				return { status: answer.status, retryAfter: answer.headers.get("retry-after"), body: (await answer.json()) as SeenJob };
			}),
		);
		expect(most).toBeLessThanOrEqual(12);
		const accepted = answers.filter(({ status }) => status === 202);
		expect(accepted.length).toBeGreaterThanOrEqual(12);
		for (const { status, retryAfter, body } of answers.filter(({ status }) => status !== 202)) {
			expect([status, body.error?.code]).toEqual([429, "busy"]);
			expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
		}
		expect(accepted.length).toBeLessThan(200);
		// One in five is cancelled on the way.
		for (const { body } of accepted.filter((_, i) => i % 5 === 0)) await fetch(`${server.url}/jobs/${body.job_id}`, { method: "DELETE" });
		const ends = await Promise.all(
			accepted.map(async ({ body }) =>
				server.queue.table.list().some(({ id }) => id === body.job_id) ? (await endedJob(server.url, body.job_id)).status : "removed",
			),
		);
		for (const status of ends) expect(["done", "failed", "cancelled", "removed"]).toContain(status);
		expect(ends).toContain("failed");
		expect(ends.filter((status) => status === "done").length).toBeGreaterThan(ends.length / 2);
		expect(server.queue.waiting).toBe(0);
		// A place is free again, for as many as before.
		const again = await fetch(`${server.url}/generate`, { method: "POST", body: form });
		expect(again.status).toBe(202);
		await endedJob(server.url, ((await again.json()) as SeenJob).job_id);
	});

	it("jobs that wait when the server ends wait again, the one that ran goes on from its stage 1", async () => {
		const own = choice();
		server = await testServer({ ...own, worker: stubWorker({ stageMs: 60_000 }) });
		const [first, second] = [await postPerson(server.url), await postPerson(server.url)];
		await server.close();
		const again = await testServer({ ...own, jobs: server.jobs });
		for (const { job_id } of [first, second]) expect((await endedJob(again.url, job_id)).status).toBe("done");
		const third = (await (
			await fetch(`${again.url}/generate`, { method: "POST", body: await personForm({ texture_size: "0", download: "json" }) })
		).json()) as SeenJob;
		await again.close();
		// Finished jobs are still there after one more start.
		const last = await testServer({ ...own, jobs: server.jobs });
		expect(await endedJob(last.url, third.job_id)).toEqual(third);
		await last.close();
	});
});

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { continueForm, endedJob, eventually, inStageTwo, jobOnce, personForm, type SeenJob, seenJob } from "../../support/testServer.ts";

// A server in a process of its own, killed in mid-job.

let folder: string;
let program: string;
let child: ChildProcess;
const children: ChildProcess[] = [];
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "synchuman-killed-"));
	// Where the program itself would lie: it looks for package.json above it.
	program = join("dist", `servedStub-${process.pid}.mjs`);
	const plain = { bundle: true, packages: "external", platform: "node", target: "node20", format: "esm" } as const;
	await build({ entryPoints: ["test/support/servedStub.ts"], outfile: program, ...plain });
});
afterAll(() => {
	for (const started of children) started.kill("SIGKILL");
	rmSync(folder, { recursive: true, force: true });
	rmSync(program, { force: true });
});

/** Milliseconds of a stage that does not end in a test. */
const long = 600_000;

function start(stageMs: number, stageTwoMs: number): Promise<string> {
	const argv = [program, join(folder, "jobs"), String(stageMs), String(stageTwoMs)];
	child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
	children.push(child);
	return new Promise((ready, failed) => {
		child.on("exit", (status) => failed(new Error(`ended with ${status}`)));
		child.stdout?.once("data", (text) => ready(String(text).trim()));
	});
}

function end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
	const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	child.kill(signal);
	return ended;
}

const post = async (url: string, body: FormData) => (await (await fetch(`${url}/generate`, { method: "POST", body })).json()) as SeenJob;

/** Waits until a job's record on the disk says that it runs: a server tells it before, and may be killed in between. */
function recordedRunning(id: string): Promise<true> {
	const status = () => JSON.parse(readFileSync(join(folder, "jobs", id, "job.json"), "utf8")).status;
	return eventually(
		() => status() === "running" || undefined,
		() => `the record of ${id} says ${status()}`,
	);
}

it("kill -9 in mid-job: finished jobs are still there, the broken one says so, the waiting one runs", async () => {
	let url = await start(1, 1);
	const form = () => personForm({ texture_size: "0" });
	const done = await endedJob(url, (await post(url, await form())).job_id);
	expect(done.status).toBe("done");
	await end("SIGKILL");

	url = await start(long, long);
	const early = await post(url, await form());
	const waiting = await post(url, await form());
	await recordedRunning(early.job_id);
	await end("SIGKILL");

	url = await start(1, long);
	expect(await seenJob(url, done.job_id)).toEqual(done);
	expect(await seenJob(url, early.job_id)).toMatchObject({
		status: "failed",
		error: { code: "interrupted", hint: "Send the picture again." },
	});
	await jobOnce(url, waiting.job_id, inStageTwo);
	await recordedRunning(waiting.job_id);
	await end("SIGKILL");

	url = await start(1, 1);
	const late = await seenJob(url, waiting.job_id);
	expect(late).toMatchObject({ status: "failed", error: { code: "interrupted", hint: expect.stringContaining("stage 1 is kept") } });
	expect(late.result).toMatchObject({ stage1: { status: "done" }, stage2: { status: "failed" } });
	const again = await post(url, continueForm(late.job_id, { texture_size: "0", download: "json" }));
	expect(again).toMatchObject({ status: "done" });
	expect(await seenJob(url, done.job_id)).toEqual(done);
	await end("SIGTERM");
});

it("SIGTERM in the second stage: the job goes on from its first one", async () => {
	let url = await start(1, long);
	const { job_id } = await post(url, await personForm({ texture_size: "0" }));
	await jobOnce(url, job_id, inStageTwo);
	await end("SIGTERM");
	url = await start(1, 1);
	expect(await endedJob(url, job_id)).toMatchObject({ status: "done", result: { stage1: { status: "done" }, stage2: { status: "done" } } });
	const run = (await (await fetch(`${url}/jobs/${job_id}/run.json`)).json()) as { stages: string[]; stageOneRun: object };
	expect([run.stages, run.stageOneRun]).toEqual([["2"], expect.objectContaining({ stages: ["1"] })]);
	await end("SIGTERM");
});

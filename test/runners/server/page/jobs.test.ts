import { expect, it } from "vitest";
import { generateArguments, parseCommandLine } from "../../../../runners/arguments.ts";
import type { JobRecord } from "../../../../runners/server/jobRecord.ts";
import { jobView } from "../../../../runners/server/jobRecord.ts";
import { filePath, hasEnded, type Job } from "../../../../runners/server/page/jobs.ts";

const { image, output, weights, dtype, adapter, maxMemory, json, ...options } = generateArguments(
	parseCommandLine(["generate", "a.png", "-o", "out"]),
);
const record: JobRecord = {
	id: "1".repeat(32),
	status: "done",
	options,
	source: null,
	alphaCoverage: 0.5,
	createdAt: "2026-11-21T20:00:00.000Z",
	startedAt: null,
	finishedAt: null,
	stageOneKept: true,
	files: ["stage1/color_0.png", "run.json"],
	byteLength: 3,
	figures: null,
	error: null,
};
const now = { position: null, progress: null, views: null, stopping: false };

it("the page reads what the server tells", () => {
	// By its type too.
	const job: Job = jobView(record, now);
	expect(hasEnded(job)).toBe(true);
	expect(filePath(job, "stage1/color_0.png")).toBe(`/jobs/${record.id}/stage1/color_0.png`);
	expect(filePath(job, "stage2/output.glb")).toBeUndefined();
	const progress = { part: "diffusion", step: 1, steps: 2, elapsedMs: 1, etaMs: undefined };
	const running: Job = jobView({ ...record, status: "running" }, { ...now, progress, views: { step: 1, webp: new Uint8Array() } });
	expect(running.progress?.views).toBe(`/jobs/${record.id}/views.webp?step=1`);
});

it("views of a job that goes on are the other one's", () => {
	const source = "2".repeat(32);
	const job: Job = jobView({ ...record, options: { ...record.options, stage: "2" }, source, files: ["stage2/output.glb"] }, now);
	expect(filePath(job, "stage1/color_3.png")).toBe(`/jobs/${source}/stage1/color_3.png`);
	expect(filePath(job, "stage2/output.glb")).toBe(`/jobs/${record.id}/stage2/output.glb`);
});

import { parentPort } from "node:worker_threads";
import { type ChartJob, chartPart } from "../engine/mesh/chartPart.ts";
import { type PackJob, packCharts } from "../engine/mesh/packCharts.ts";
import { answerJobs } from "./workerPool.ts";

// Makes charts and packs them beside the main thread: a job in, its result or why there is none out, one after the other.

/** What the worker is sent: one of the two. */
export interface UnwrapJob {
	readonly chart?: ChartJob;
	readonly pack?: PackJob;
}

answerJobs<UnwrapJob>(parentPort, async ({ chart, pack }) => {
	if (chart !== undefined) return chartPart(chart);
	if (pack === undefined) throw new Error("no job");
	return packCharts(pack);
});

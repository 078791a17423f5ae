import { parentPort } from "node:worker_threads";
import { type ChartedPart, type ChartJob, chartPart } from "../engine/mesh/chartPart.ts";
import { type PackedCharts, type PackJob, packCharts } from "../engine/mesh/packCharts.ts";

// Makes charts and packs them beside the main thread: a job in, its result or why there is none out, one after the other.

/** What the worker is sent: one of the two. */
export interface UnwrapJob {
	readonly chart?: ChartJob;
	readonly pack?: PackJob;
}

/** What the worker sends for each job. */
export interface UnwrapAnswer {
	readonly result?: ChartedPart | PackedCharts;
	readonly problem?: string;
}

async function answerTo({ chart, pack }: UnwrapJob): Promise<UnwrapAnswer> {
	try {
		if (chart !== undefined) return { result: await chartPart(chart) };
		return pack === undefined ? { problem: "no job" } : { result: await packCharts(pack) };
	} catch (error) {
		return { problem: (error as Error).message };
	}
}

parentPort?.on("message", async (job: UnwrapJob) => parentPort?.postMessage(await answerTo(job)));

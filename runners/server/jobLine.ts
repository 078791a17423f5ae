import { basename, join } from "node:path";
import type { GenerateArguments } from "../arguments.ts";
import type { JobOptions } from "./jobRecord.ts";
import { uploadName } from "./jobStore.ts";
import type { JobWorker, RunEvent, RunWatch, WorkerReport } from "./worker.ts";
import type { EngineChoice } from "./workerMessages.ts";

/** What a run of a job is to do, as of the moment when it begins. */
export interface JobTask {
	/** The job's own folder, named after its id. */
	readonly folder: string;
	readonly options: JobOptions;
	/** The folder of the job that has the finished stage 1 from which the run goes on; undefined: it begins with the uploaded picture. */
	readonly stageOneFolder: string | undefined;
}

/** How a queue follows one job of a line. */
export interface JobWatch {
	/** Asked when a worker takes the job, again where another one has to. */
	readonly task: () => JobTask;
	/** Aborted: a job that waits is taken out, one that runs ends after its step; both then end with code "aborted". */
	readonly signal: AbortSignal;
	/** A worker has taken it. */
	readonly onStart: () => void;
	/** Its worker has gone, and it waits again. */
	readonly onReturn: () => void;
	readonly onEvent: (event: RunEvent) => void;
}

/** How a job left a line: at its end, or because the line was closed before. */
export type JobEnd = "done" | "left";

/**
 * Jobs in the order in which they came, and the workers that run them: the one interface behind which the embedded queue and BullMQ's stand.
 * A line knows no records; JobQueue keeps those, and its bounds.
 */
export interface JobLine {
	/** Whether jobs run on while the server is away: those that ran when it ended are then put again, and found where they are. */
	readonly outlivesServer: boolean;
	/** Those that are there now; empty where all of them are elsewhere and gone. */
	workers(): readonly WorkerReport[];
	/** Puts a job at the end. Rejects where it cannot be taken; `ended` settles once the job has left the line, and rejects with its error. */
	put(id: string, watch: JobWatch): Promise<{ readonly ended: Promise<JobEnd> }>;
	/** Begins nothing more; what runs in this process may end within `graceMs`, then it is stopped after its step. */
	close(graceMs: number): Promise<void>;
}

/** What `generate` is asked for a task by a worker that has its files. */
function taskArguments({ options, folder, stageOneFolder }: JobTask, engine: EngineChoice): GenerateArguments {
	const stage = stageOneFolder === undefined ? options.stage : "2";
	const image = stageOneFolder === undefined ? join(folder, uploadName) : join(stageOneFolder, "stage1");
	return { ...options, ...engine, stage, image, output: folder, json: true };
}

/** Milliseconds after which a run that was told to stop loses its process: longer than any step. */
const stopMs = 120_000;

/** Runs a task; a process that does not stop when told to is ended. Rejects as JobWorker.run does. */
export async function runTask(
	worker: JobWorker,
	task: JobTask,
	{ engine, watch, log }: { readonly engine: EngineChoice; readonly watch: RunWatch; readonly log: (text: string) => void },
): Promise<void> {
	let killer: NodeJS.Timeout | undefined;
	const patience = () => {
		killer = setTimeout(() => {
			log(`job ${basename(task.folder)}: does not stop; its process is ended`);
			void worker.close();
		}, stopMs).unref();
	};
	watch.signal.addEventListener("abort", patience, { once: true });
	try {
		await worker.run(taskArguments(task, engine), watch);
	} finally {
		watch.signal.removeEventListener("abort", patience);
		clearTimeout(killer);
	}
}

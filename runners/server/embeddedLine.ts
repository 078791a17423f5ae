import { SyncHumanError } from "../../engine/error.ts";
import { type JobEnd, type JobLine, type JobWatch, runTask } from "./jobLine.ts";
import type { JobWorker, WorkerReport } from "./worker.ts";
import type { EngineChoice } from "./workerMessages.ts";

/** What the embedded line works with. */
export interface EmbeddedLineParts {
	/** Started already. */
	readonly worker: JobWorker;
	readonly report: WorkerReport;
	readonly engine: EngineChoice;
	readonly log: (text: string) => void;
}

/** A job in the line. */
interface Entry {
	readonly watch: JobWatch;
	readonly settle: (end: JobEnd) => void;
	readonly fail: (error: unknown) => void;
}

/** The line of a server that has its own worker: one job runs, the others wait in memory. */
export function embeddedLine({ worker, report, engine, log }: EmbeddedLineParts): JobLine {
	const waiting: Entry[] = [];
	const closed = new AbortController();
	let closing = false;
	let running: Promise<void> | undefined;

	async function run({ watch, settle, fail }: Entry): Promise<void> {
		watch.onStart();
		const signal = AbortSignal.any([watch.signal, closed.signal]);
		try {
			await runTask(worker, watch.task(), { engine, watch: { signal, onEvent: watch.onEvent }, log });
			settle("done");
		} catch (error) {
			// It waits again, and goes on after the next start.
			if (closed.signal.aborted && !watch.signal.aborted) settle("left");
			else fail(error);
		}
	}

	function next(): void {
		if (running !== undefined || closing) return;
		const entry = waiting.shift();
		if (entry === undefined) return;
		running = run(entry).finally(() => {
			running = undefined;
			next();
		});
	}

	return {
		outlivesServer: false,
		workers: () => [report],
		async put(_id, watch) {
			const ended = new Promise<JobEnd>((settle, fail) => {
				const entry = { watch, settle, fail };
				waiting.push(entry);
				watch.signal.addEventListener("abort", () => {
					const place = waiting.indexOf(entry);
					if (place < 0) return;
					waiting.splice(place, 1);
					fail(new SyncHumanError("aborted", "The run was stopped."));
				});
			});
			next();
			return { ended };
		},
		async close(graceMs) {
			closing = true;
			const timer = setTimeout(() => closed.abort(), graceMs);
			await running;
			clearTimeout(timer);
			for (const { settle } of waiting.splice(0)) settle("left");
		},
	};
}

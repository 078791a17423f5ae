import type { MemoryPlan, Progress } from "../engine/stages/part.ts";
import { planText } from "./planText.ts";
import { progressReporter } from "./progressLine.ts";

/** Where a run's words go. */
export interface RunOutput {
	/** Results: paths, or JSON lines. */
	readonly out: (text: string) => void;
	/** Progress and remarks. */
	readonly say: (text: string) => void;
	/** Whether `say` ends at a terminal. */
	readonly terminal: boolean;
}

/** Everything a run tells: JSON lines on `out`, or remarks and progress on `say` and the written paths on `out`. */
export interface RunReporter {
	/** A JSON line; nothing for people. */
	event(name: string, fields: object): void;
	/** A line for people. */
	remark(text: string): void;
	progress(progress: Progress): void;
	plan(plan: MemoryPlan): void;
	/** The last words: fields of the `result` line, or a remark and the paths. */
	result(files: readonly string[], fields: object, text: string): void;
	/** Finishes the line of progress, also where the run failed. */
	end(): void;
}

/** A reporter that writes to `output`. */
export function runReporter(json: boolean, { out, say, terminal }: RunOutput): RunReporter {
	const progress = progressReporter({ json, terminal, write: json ? out : say });
	const event = (name: string, fields: object) => {
		if (json) out(`${JSON.stringify({ event: name, ...fields })}\n`);
	};
	const remark = (text: string) => {
		if (json) return;
		progress.end();
		say(`${text}\n`);
	};
	return {
		event,
		remark,
		progress: progress.report,
		end: progress.end,
		plan(plan) {
			event("plan", plan);
			remark(planText(plan));
		},
		result(files, fields, text) {
			event("result", { files, ...fields });
			remark(text);
			if (!json) out(`${files.join("\n")}\n`);
		},
	};
}

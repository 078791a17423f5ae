import type { Progress } from "../engine/stages/part.ts";

/** Where progress goes. */
export interface ProgressOutput {
	/** JSON lines, for programs. */
	readonly json: boolean;
	/** A bar that rewrites itself; otherwise a line when a part begins and one when it has ended. */
	readonly terminal: boolean;
	readonly write: (text: string) => void;
}

/** Shows how a run goes on. `end` finishes the last line, also where the run failed. */
export interface ProgressReporter {
	report(progress: Progress): void;
	end(): void;
}

const barWidth = 24;

/** A reporter of the kind that `output` asks for. */
export function progressReporter({ json, terminal, write }: ProgressOutput): ProgressReporter {
	let last: Progress | undefined;
	const seconds = ({ elapsedMs }: Progress) => `${(elapsedMs / 1000).toFixed(1)} s`;
	const end = () => {
		if (last === undefined) return;
		if (terminal) write("\n");
		else if (last.step === last.steps) write(`${last.part}: ${seconds(last)}\n`);
		last = undefined;
	};
	return {
		report(progress) {
			if (json) {
				write(`${JSON.stringify({ event: "progress", ...progress })}\n`);
				return;
			}
			const begins = progress.part !== last?.part;
			if (begins) end();
			last = progress;
			if (terminal) write(`\r\x1b[2K${bar(progress)} ${seconds(progress)}${left(progress)}`);
			else if (begins) write(`${progress.part} ...\n`);
		},
		end,
	};
}

function bar({ part, step, steps }: Progress): string {
	const filled = Math.round((barWidth * step) / steps);
	return `${part.padEnd(22)} [${"#".repeat(filled)}${".".repeat(barWidth - filled)}]${steps > 1 ? ` ${step}/${steps}` : ""}`;
}

function left({ step, steps, etaMs }: Progress): string {
	return etaMs === undefined || step === steps ? "" : `, ${(etaMs / 1000).toFixed(0)} s left`;
}

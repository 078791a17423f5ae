import type { Progress } from "../engine/stages/part.ts";

/** Where progress goes: a bar that rewrites itself on a terminal, one line a part elsewhere, JSON lines for programs. */
export function progressReporter(options: {
	readonly json: boolean;
	readonly terminal: boolean;
	readonly write: (text: string) => void;
}): (progress: Progress) => void {
	const { json, terminal, write } = options;
	let lastPart = "";
	return (progress) => {
		if (json) {
			write(`${JSON.stringify({ event: "progress", ...progress })}\n`);
			return;
		}
		const seconds = (progress.elapsedMs / 1000).toFixed(1);
		const finished = progress.step === progress.steps;
		if (terminal) {
			const width = 24;
			const filled = Math.round((width * progress.step) / progress.steps);
			const eta = progress.etaMs === undefined || finished ? "" : `, ${(progress.etaMs / 1000).toFixed(0)} s left`;
			const counter = progress.steps > 1 ? ` ${progress.step}/${progress.steps}` : "";
			write(
				`\r\x1b[2K${progress.part.padEnd(22)} [${"#".repeat(filled)}${".".repeat(width - filled)}]${counter} ${seconds} s${eta}${finished ? "\n" : ""}`,
			);
		} else if (finished) {
			write(`${progress.part}: ${seconds} s\n`);
		} else if (progress.part !== lastPart && progress.step === 0) {
			write(`${progress.part} ...\n`);
		}
		lastPart = progress.part;
	};
}

import { exitStatus, SyncHumanError } from "../engine/error.ts";

/** Where an error is shown. */
export interface ErrorOutput {
	/** Also as a JSON line on `out`. */
	readonly json: boolean;
	readonly out: (text: string) => void;
	readonly say: (text: string) => void;
}

/**
 * Shows why a program ends: of a SyncHumanError the message in one line and, in the next, what can be done; of anything else, which is a
 * mistake in the program, the stack. Gives the exit status.
 */
export function reportError(error: unknown, { json, out, say }: ErrorOutput): number {
	if (!(error instanceof SyncHumanError)) {
		const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
		if (json) out(`${JSON.stringify({ event: "error", code: "internal", message: text.split("\n")[0], exitStatus: 1 })}\n`);
		say(`synchuman: this is a mistake in the program, please report it:\n${text}\n`);
		return 1;
	}
	const { code, hint } = error;
	const message = oneLine(error.message);
	if (json) out(`${JSON.stringify({ event: "error", code, message, hint: hint ?? null, exitStatus: exitStatus[code] })}\n`);
	say(`synchuman: ${message}\n${hint === undefined ? "" : `  ${oneLine(hint)}\n`}`);
	return exitStatus[code];
}

function oneLine(text: string): string {
	return text.replace(/\s*\n\s*/g, " ").trim();
}

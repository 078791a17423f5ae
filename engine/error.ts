/** What went wrong, in the classes that decide the exit status (`exitStatus`). */
export type ErrorCode = "input" | "device" | "memory" | "checkpoint" | "disk" | "aborted";

/** The one error type users meet: `message` says what is wrong, `hint` what they can do about it. */
export class SyncHumanError extends Error {
	readonly code: ErrorCode;
	readonly hint: string | undefined;
	constructor(code: ErrorCode, message: string, hint?: string, options?: { cause?: unknown }) {
		super(message, options);
		this.name = "SyncHumanError";
		this.code = code;
		this.hint = hint;
	}
}

/** Process exit status of each error class. */
export const exitStatus: Readonly<Record<ErrorCode, number>> = Object.freeze({
	input: 2,
	device: 3,
	memory: 3,
	checkpoint: 4,
	disk: 5,
	aborted: 130,
});

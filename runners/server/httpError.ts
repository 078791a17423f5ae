import { type ErrorCode, exitStatus, SyncHumanError } from "../../engine/error.ts";

/** What the server itself refuses, besides the engine's classes of errors. */
export type HttpErrorCode =
	| "not-found"
	| "method"
	| "unauthorized"
	| "forbidden"
	| "too-large"
	| "multipart"
	| "busy"
	| "timeout"
	| "conflict"
	| "interrupted"
	| "unavailable"
	| "internal";

/** HTTP status of each error code. */
export const httpStatus: Readonly<Record<ErrorCode | HttpErrorCode, number>> = Object.freeze({
	input: 422,
	device: 503,
	memory: 503,
	checkpoint: 503,
	disk: 507,
	aborted: 409,
	"not-found": 404,
	method: 405,
	unauthorized: 401,
	forbidden: 403,
	"too-large": 413,
	multipart: 400,
	busy: 429,
	timeout: 408,
	conflict: 409,
	interrupted: 500,
	unavailable: 503,
	internal: 500,
});

/** An error as answers and job records hold it. */
export interface ErrorReport {
	readonly code: ErrorCode | HttpErrorCode;
	/** What is wrong, in one line. */
	readonly message: string;
	/** What can be done about it. */
	readonly hint: string | null;
}

/** A request that cannot be served. */
export class HttpError extends Error {
	readonly code: HttpErrorCode;
	readonly hint: string | undefined;
	/** Seconds after which to try again. */
	readonly retryAfter: number | undefined;
	constructor(code: HttpErrorCode, message: string, hint?: string, retryAfter?: number) {
		super(message);
		this.name = "HttpError";
		this.code = code;
		this.hint = hint;
		this.retryAfter = retryAfter;
	}
}

/**
 * Any error as a report. Paths below `folder` are shown from there on, so that no place on the server is told; of a mistake in the program
 * nothing is told but that it was one.
 */
export function errorReport(error: unknown, folder: string): ErrorReport {
	if (!(error instanceof HttpError || error instanceof SyncHumanError)) {
		return { code: "internal", message: "A mistake in the program; the server's log has it.", hint: null };
	}
	const told = (text: string) =>
		text
			.replaceAll(`${folder}/`, "/jobs/")
			.replace(/\s*\n\s*/g, " ")
			.trim();
	return { code: error.code, message: told(error.message), hint: error.hint === undefined ? null : told(error.hint) };
}

/** The error that a report was made from, as far as it tells. Throws where it is no report. */
export function reportedError({ code, message, hint }: ErrorReport): HttpError | SyncHumanError {
	if (!Object.hasOwn(httpStatus, code) || typeof message !== "string") throw new TypeError("no report of an error");
	return Object.hasOwn(exitStatus, code)
		? new SyncHumanError(code as ErrorCode, message, hint ?? undefined)
		: new HttpError(code as HttpErrorCode, message, hint ?? undefined);
}

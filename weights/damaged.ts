import { SyncHumanError } from "../engine/error.ts";

/** The error of a checkpoint file that is not what it should be: "FILE: problem", code "checkpoint". */
export function damaged(file: string, problem: string, hint = "The file is damaged or incomplete: download it again."): SyncHumanError {
	return new SyncHumanError("checkpoint", `${file}: ${problem}`, hint);
}

/** Text of a file that stands in a message: control characters escaped, at most `limit` characters. */
export function quoted(text: string, limit = 80): string {
	return JSON.stringify(text.length > limit ? `${text.slice(0, limit)}...` : text);
}

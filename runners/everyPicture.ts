import { exitStatus, SyncHumanError } from "../engine/error.ts";
import { type ErrorOutput, reportError } from "./errorReport.ts";
import type { PictureTarget } from "./pictureTargets.ts";

/** Problems that the next picture would meet as well. */
const ofAll: readonly string[] = ["device", "checkpoint", "disk", "aborted"];

/**
 * Does `one` with every target. A picture that fails is reported and the next one follows, unless it would fail alike. The exit status: that of the
 * first failure. A single target's error is thrown.
 */
export async function everyPicture(
	targets: readonly PictureTarget[],
	output: ErrorOutput,
	one: (target: PictureTarget, index: number) => Promise<void>,
): Promise<number> {
	const { json, out, say } = output;
	const event = (name: string, fields: object) => json && out(`${JSON.stringify({ event: name, ...fields })}\n`);
	const remark = (text: string) => json || say(`${text}\n`);
	let status = 0;
	let failed = 0;
	for (const [i, target] of targets.entries()) {
		if (targets.length > 1) {
			event("picture", { picture: target.picture, folder: target.output, index: i, count: targets.length });
			remark(`[${i + 1}/${targets.length}] ${target.picture} -> ${target.output}`);
		}
		try {
			await one(target, i);
		} catch (error) {
			if (targets.length === 1) throw error;
			failed++;
			const own = reportError(error, output);
			status ||= own;
			if (error instanceof SyncHumanError && ofAll.includes(error.code)) {
				if (error.code === "aborted") status = exitStatus.aborted;
				break;
			}
		}
	}
	if (targets.length > 1) {
		event("finished", { pictures: targets.length, failed });
		remark(failed === 0 ? `${targets.length} pictures done` : `${failed} of ${targets.length} pictures failed`);
	}
	return status;
}

import { exitStatus, SyncHumanError } from "../engine/error.ts";
import type { GenerateArguments } from "./arguments.ts";
import { reportError } from "./errorReport.ts";
import { type Engine, generate, type Surroundings } from "./generate.ts";
import type { PictureTarget } from "./pictureTargets.ts";
import { finishedStages } from "./resume.ts";

/** Problems that the next picture would meet as well. */
const ofAll: readonly string[] = ["device", "checkpoint", "disk", "aborted"];

/**
 * `generate` of every target with one engine, so that weights that stay on the GPU are loaded once. A picture that fails is reported and the next one
 * follows, unless it would fail alike. With `resume`, what run.json says is there already is not done again. The exit status: that of the first
 * failure. A single target's error is thrown.
 */
export async function generateMany(
	options: GenerateArguments,
	targets: readonly PictureTarget[],
	resume: boolean,
	surroundings: Surroundings,
): Promise<number> {
	const { out, say } = surroundings;
	const { json } = options;
	const event = (name: string, fields: object) => json && out(`${JSON.stringify({ event: name, ...fields })}\n`);
	const remark = (text: string) => json || say(`${text}\n`);
	let engine: Engine | undefined;
	const shared: Surroundings = {
		...surroundings,
		async openEngine(choices, weights) {
			engine ??= await surroundings.openEngine(choices, weights);
			// run.json is about one picture.
			engine.measurements.length = 0;
			return engine;
		},
	};
	let status = 0;
	let failed = 0;
	for (const [i, { picture, output }] of targets.entries()) {
		if (targets.length > 1) {
			event("picture", { picture, folder: output, index: i, count: targets.length });
			remark(`[${i + 1}/${targets.length}] ${picture} -> ${output}`);
		}
		try {
			const one = { ...options, image: picture, output };
			const finished = resume && options.stage !== "2" ? await finishedStages(one) : [];
			if (finished.length === 2 || (finished.length === 1 && options.stage === "1")) {
				event("result", { files: [], reused: finished });
				remark("there already");
			} else if (finished.length === 1) {
				remark("stage 1 is there already");
				await generate({ ...one, image: undefined, stage: "2" }, shared);
			} else await generate(one, shared);
		} catch (error) {
			if (targets.length === 1) throw error;
			failed++;
			const own = reportError(error, { json, out, say });
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

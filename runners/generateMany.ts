import type { GenerateArguments } from "./arguments.ts";
import { everyPicture } from "./everyPicture.ts";
import { type Engine, generate, type Surroundings } from "./generate.ts";
import type { PictureTarget } from "./pictureTargets.ts";
import { finishedStages } from "./resume.ts";

/**
 * `generate` of every target with one engine, so that weights that stay on the GPU are loaded once, as `everyPicture` goes about
 * them. With `resume`, what run.json says is there already is not done again.
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
	return everyPicture(targets, { json, out, say }, async ({ picture, output }) => {
		const one = { ...options, image: picture, output };
		const finished = resume && options.stage !== "2" ? await finishedStages(one) : [];
		if (finished.length === 2 || (finished.length === 1 && options.stage === "1")) {
			event("result", { files: [], reused: finished });
			remark("there already");
		} else if (finished.length === 1) {
			remark("stage 1 is there already");
			await generate({ ...one, image: undefined, stage: "2" }, shared);
		} else await generate(one, shared);
	});
}

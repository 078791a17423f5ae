import { join } from "node:path";
import type { GenerateArguments } from "./arguments.ts";
import { isFile, readBytes } from "./files.ts";
import { hashFile } from "./hashFile.ts";
import { packageVersion } from "./project.ts";
import { readStageOneRun } from "./runRecord.ts";

/** A run.json, of which only what is compared is known to be what it should. */
type Recorded = Readonly<Record<string, unknown>>;

/**
 * The stages whose results in `options.output` are those that `options` asks for, by run.json: of the same version, picture file, weights' name and
 * choices. Stage 2 counts only where stage 1 does.
 */
export async function finishedStages(options: GenerateArguments): Promise<readonly ("1" | "2")[]> {
	const { image, output } = options;
	const path = join(output, "run.json");
	const first = (await readStageOneRun(path)) as Recorded | undefined;
	if (image === undefined || first === undefined || !(await isFile(join(output, "stage1", "latent.npz")))) return [];
	if (!same(first, options, ["seed", "steps", "guidance", "background"])) return [];
	const file = await hashFile(image).catch(() => undefined);
	if (file === undefined || first.pictureSha256 !== file.sha256) return [];
	const last: Recorded = JSON.parse(new TextDecoder().decode(await readBytes(path, "It is a run's record.")));
	const choices = ["seed", "stageTwoSteps", "textureSize"] as const;
	const ofTexture = ["simplify", "textureEffort", "faceTexels", "normalMap"] as const;
	const finished =
		Array.isArray(last.stages) &&
		last.stages.includes("2") &&
		same(last, options, options.textureSize === 0 ? choices : [...choices, ...ofTexture]) &&
		(await isFile(join(output, "stage2", "output.glb")));
	return finished ? ["1", "2"] : ["1"];
}

function same(record: Recorded, options: GenerateArguments, names: readonly (keyof GenerateArguments)[]): boolean {
	const { version } = (record.build ?? {}) as { version?: string };
	const weights = (record.weights ?? {}) as { name?: string };
	if (version !== packageVersion() || weights.name !== options.weights) return false;
	if (options.dtype !== undefined && record.dtype !== options.dtype) return false;
	return names.every((name) => record[name] === options[name]);
}

import { dirname, join, resolve } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import type { DeviceReport } from "../engine/gpu/device.ts";
import type { Image } from "../engine/image/image.ts";
import type { RunCallbacks } from "../engine/session.ts";
import { finishDefaults, sketchEffort } from "../engine/stages/finish.ts";
import type { OpenFinishWork } from "../engine/stages/finishWork.ts";
import type { StageOneResult, StageTwoResult } from "../engine/stages/results.ts";
import type { SyncHuman } from "../engine/synchuman.ts";
import type { GenerateArguments } from "./arguments.ts";
import { cutOut, type PictureToCut, pictureToCut } from "./cutOut.ts";
import { isFile, readBytes } from "./files.ts";
import { hashFile } from "./hashFile.ts";
import { holdFolder } from "./holdFolder.ts";
import { decodePicture } from "./imageFile.ts";
import { type OpenedWeights, openWeights } from "./openWeights.ts";
import { previewFiles } from "./previewFile.ts";
import { type RunRecord, readStageOneRun, runRecord } from "./runRecord.ts";
import { type RunOutput, type RunReporter, runReporter } from "./runReporter.ts";
import { readStageOne, writeStageOne, writeStageTwo } from "./stageFolders.ts";
import { fingerprint } from "./weightFiles.ts";
import { writeFiles } from "./writeFiles.ts";

/** What a run needs of the engine: SyncHuman on an opened device. */
export type Engine = Pick<SyncHuman, "stageOne" | "stageTwo" | "preview" | "removeBackground" | "measurements" | "dtype"> & {
	readonly device: { readonly report: DeviceReport };
};

/** What a run needs besides its arguments; programs give the real ones, tests their own. */
export interface Surroundings extends RunOutput {
	openEngine(options: GenerateArguments, weights: OpenedWeights): Promise<Engine>;
	/** Does the CPU's share of the finishing on other threads; on this one unless it is given. */
	readonly openFinishWork?: OpenFinishWork;
	/** Shown coarse views while stage 1 runs. */
	readonly onViews?: RunCallbacks["onViews"];
	/** The picture of a run without IMAGE. */
	readonly sample?: () => Image;
	readonly signal: AbortSignal;
}

const syntheticRemark =
	"synthetic weights: made-up numbers, no trained model. The result shows that the program works, not what it can do.";

const sketchRemark = (size: number) =>
	`texture: a sketch of ${size} pixels from ${sketchEffort.renders} pictures of the Gaussians in ${sketchEffort.fitSteps} steps, coarse; ` +
	`--texture-effort full makes ${finishDefaults.renders} and ${finishDefaults.fitSteps}.`;

/**
 * `synchuman generate` and `demo`: everything that can be wrong is looked at before the first network runs; stage1/ is on disk before stage 2
 * begins, and stays whatever happens then. Throws SyncHumanError.
 */
export async function generate(options: GenerateArguments, surroundings: Surroundings): Promise<void> {
	const started = performance.now();
	const reporter = runReporter(options.json, surroundings);
	const source = await readSource(options, surroundings.sample);
	await holdFolder(options.output, () => generateFrom(source, options, surroundings, reporter, started));
}

async function generateFrom(
	source: Source,
	options: GenerateArguments,
	surroundings: Surroundings,
	reporter: RunReporter,
	started: number,
): Promise<void> {
	const { output, stage } = options;
	const pictureSha256 = options.image === undefined || stage === "2" ? undefined : (await hashFile(options.image)).sha256;
	const weights = await openWeights(options.weights, stage === "both" ? ["1", "2"] : [stage]);
	try {
		const engine = await surroundings.openEngine(options, weights);
		const { report: adapter } = engine.device;
		reporter.event("start", { adapter, dtype: engine.dtype, weights: options.weights, synthetic: weights.synthetic });
		reporter.remark(`adapter: ${adapter.adapter}${adapter.software ? " (software)" : ""}, ${engine.dtype}`);
		reporter.remark(`weights: ${options.weights}`);
		if (weights.synthetic) reporter.remark(syntheticRemark);
		const { seed, steps, stageTwoSteps, guidance, textureSize, simplify, faceTexels, normalMap, textureEffort } = options;
		if (stage !== "1" && textureSize > 0 && textureEffort === "sketch") reporter.remark(sketchRemark(textureSize));
		const run = {
			...{ seed, steps, stageTwoSteps, guidance, textureSize, simplify, faceTexels, normalMap },
			...(textureEffort === "sketch" && { effort: sketchEffort }),
			...(surroundings.openFinishWork && { openFinishWork: surroundings.openFinishWork }),
			...(surroundings.onViews && { onViews: surroundings.onViews }),
			...{ signal: surroundings.signal, onProgress: reporter.progress, onPlan: reporter.plan },
		};
		const files: string[] = [];
		const record = async (stageOne: StageOneResult, stageTwo?: StageTwoResult): Promise<RunRecord> => {
			const made = runRecord({
				options,
				pictureSha256,
				dtype: engine.dtype,
				adapter,
				synthetic: weights.synthetic,
				files: await weights.files(),
				stages: [...(source.image === undefined ? [] : (["1"] as const)), ...(stageTwo === undefined ? [] : (["2"] as const))],
				stageOne,
				stageTwo,
				stageOneRun: source.image === undefined ? source.run : undefined,
				cutOut: source.image === undefined ? undefined : source.cutOut,
				measurements: engine.measurements,
				seconds: (performance.now() - started) / 1000,
			});
			await writeFiles(output, [["run.json", new TextEncoder().encode(`${JSON.stringify(made, undefined, 2)}\n`)]]);
			return made;
		};

		const stageOne =
			source.image === undefined ? source.stageOne : await engine.stageOne(await cutOut(engine, source, run, reporter.remark), run);
		if (source.image !== undefined) {
			files.push(join(output, "stage1"));
			await writeStageOne(join(output, "stage1"), stageOne);
		}
		let made = source.image === undefined ? undefined : await record(stageOne);
		if (stage !== "1") {
			try {
				const stageTwo = await engine.stageTwo(stageOne, run);
				const { syntheticGeometry } = stageTwo;
				const read = await weights.files();
				const extras = { seed, weights: options.weights, weightsIdentity: read.length > 0 ? fingerprint(read) : null, syntheticGeometry };
				const exporting = performance.now();
				files.push(...(await writeStageTwo(join(output, "stage2"), stageTwo, options, extras)));
				const computeSeconds = (performance.now() - exporting) / 1000;
				engine.measurements.push({ part: "export", loadSeconds: 0, compileSeconds: 0, computeSeconds, plannedBytes: 0, peakBytes: 0 });
				if (options.preview) {
					const preview = await previewFiles(() => engine.preview(stageTwo, stageOne.input, run), reporter.remark);
					await writeFiles(output, preview);
					files.push(...preview.map(([name]) => join(output, name)));
				}
				made = await record(stageOne, stageTwo);
			} catch (error) {
				throw source.image === undefined ? error : withStageOneKept(error, output);
			}
		}
		if (made !== undefined) tellResult(reporter, [...files, join(output, "run.json")], made);
	} finally {
		reporter.end();
	}
}

/** What the last line of a run says. */
function tellResult(reporter: RunReporter, files: readonly string[], record: RunRecord): void {
	const { voxels, vertices, faces, gaussians, syntheticGeometry, seconds } = record;
	const surface = vertices === null ? "" : `, ${vertices} vertices, ${faces} faces`;
	const text = `${voxels} voxels${surface}; ${seconds.toFixed(1)} s`;
	reporter.result(files, { voxels, vertices, faces, gaussians, syntheticGeometry, seconds }, text);
}

/** What a run starts from: a picture, or a finished stage 1. */
type Source =
	| PictureToCut
	| {
			readonly image?: undefined;
			readonly stageOne: StageOneResult;
			/** Contents of the run.json beside it. */
			readonly run: object | undefined;
	  };

async function readSource(options: GenerateArguments, sample: (() => Image) | undefined): Promise<Source> {
	const { image: path, stage, output } = options;
	if (stage === "2") {
		const folder = path ?? join(output, "stage1");
		if (await isFile(folder))
			throw new SyncHumanError(
				"input",
				`${folder}: is a file; --stage 2 goes on from a stage1 folder.`,
				"Give the stage1/ of an earlier run, or leave out --stage 2.",
			);
		return { stageOne: await readStageOne(folder), run: await readStageOneRun(join(dirname(resolve(folder)), "run.json")) };
	}
	if (path === undefined) {
		if (sample === undefined) throw new SyncHumanError("input", "IMAGE is missing", "See synchuman --help.");
		return { image: sample(), network: undefined, cutOut: "transparent in the picture" };
	}
	const image = await decodePicture(await readBytes(path, "Give a PNG, JPEG or WebP file."), path);
	return pictureToCut(image, options);
}

/** Says where a stopped run can be taken up again. */
function withStageOneKept(error: unknown, output: string): unknown {
	if (!(error instanceof SyncHumanError)) return error;
	const again = `stage1/ is kept: go on with synchuman generate -o ${/^[\w./:\\-]+$/.test(output) ? output : JSON.stringify(output)} --stage 2`;
	return new SyncHumanError(error.code, error.message, error.hint === undefined ? `${again}.` : `${error.hint} ${again}.`, {
		cause: error,
	});
}

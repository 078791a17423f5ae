import { dirname, join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import type { DeviceReport } from "../engine/gpu/device.ts";
import type { PsHuman, PsHumanBody } from "../engine/pshuman.ts";
import { fixedLaunchLayout, TorchCudaGenerator } from "../engine/random/philox.ts";
import { type FinishOptions, sketchEffort } from "../engine/stages/finish.ts";
import type { OpenFinishWork } from "../engine/stages/finishWork.ts";
import type { PshumanCheckpoint } from "../weights/pshumanCheckpoint.ts";
import { type BackgroundNetwork, findBackgroundNetwork } from "./backgroundNetwork.ts";
import { cutOut, type PictureToCut, pictureToCut } from "./cutOut.ts";
import { everyPicture } from "./everyPicture.ts";
import { readBytes } from "./files.ts";
import { holdFolder } from "./holdFolder.ts";
import { decodePicture } from "./imageFile.ts";
import { openPshumanWeights } from "./openPshumanWeights.ts";
import { type OpenedWeights, syntheticSize } from "./openWeights.ts";
import { type PictureTarget, pictureTargets } from "./pictureTargets.ts";
import { previewFiles } from "./previewFile.ts";
import { buildReport } from "./project.ts";
import type { PshumanArguments } from "./pshumanArguments.ts";
import { pshumanFolders, stripName } from "./pshumanFiles.ts";
import { partsRecord, samplesHash, weightsRecord } from "./runRecord.ts";
import { type RunOutput, type RunReporter, runReporter } from "./runReporter.ts";
import { surfaceFiles } from "./surfaceFiles.ts";
import { turntableFile } from "./turntableFile.ts";
import { fingerprint } from "./weightFiles.ts";
import { writeFiles } from "./writeFiles.ts";

/** What a run needs of the engine: PsHuman on an opened device. */
export type PsHumanEngine = Pick<
	PsHuman,
	"removeBackground" | "views" | "maskedViews" | "body" | "preview" | "draw" | "measurements" | "dtype"
> & {
	readonly device: { readonly report: DeviceReport };
};

/** What a run needs besides its arguments; programs give the real ones, tests their own. */
export interface PshumanSurroundings extends RunOutput {
	openEngine(options: PshumanArguments, weights: OpenedWeights<PshumanCheckpoint>): Promise<PsHumanEngine>;
	/** Does the CPU's share of the finishing on other threads; on this one unless it is given. */
	readonly openFinishWork?: OpenFinishWork;
	/** Less than the whole work on a texture, for tests. */
	readonly effort?: FinishOptions["effort"];
	readonly signal: AbortSignal;
}

const syntheticRemark =
	"synthetic weights: made-up numbers, no trained model. The views are noise, and the body takes its shape from an analytic figure; " +
	"the result shows that the program works, not what it can do.";

/**
 * `synchuman pshuman`: of every picture the views of PSHuman, a body of them, and what happened in run.json, as `everyPicture` goes about them.
 * The exit status of pictures that failed among others. Throws SyncHumanError.
 */
export async function pshuman(options: PshumanArguments, surroundings: PshumanSurroundings): Promise<number> {
	const reporter = runReporter(options.json, surroundings);
	const targets = await pictureTargets(options.images, options.output);
	return holdFolder(options.output, () => pshumanOf(targets, options, surroundings, reporter));
}

async function pshumanOf(
	targets: readonly PictureTarget[],
	options: PshumanArguments,
	surroundings: PshumanSurroundings,
	reporter: RunReporter,
): Promise<number> {
	const { weights: weightsName, seed, seedOrder, json } = options;
	const weights = await openPshumanWeights(weightsName);
	try {
		const masks = await viewMaskNetwork(options, weights.synthetic);
		const engine = await surroundings.openEngine(options, weights);
		const { report: adapter } = engine.device;
		reporter.event("start", { adapter, dtype: engine.dtype, weights: weightsName, synthetic: weights.synthetic });
		reporter.remark(`adapter: ${adapter.adapter}${adapter.software ? " (software)" : ""}, ${engine.dtype}`);
		reporter.remark(`weights: ${weightsName}`);
		for (const remark of options.remarks) reporter.remark(remark);
		if (weights.synthetic) reporter.remark(syntheticRemark);
		const shared = seedOrder === "run" ? new TorchCudaGenerator(seed) : undefined;
		const run: Run = { options, surroundings, engine, weights, masks, reporter };
		return await everyPicture(targets, { ...surroundings, json }, async (target, position) => {
			try {
				await onePicture(run, target, stripName(target, targets.length > 1), position, shared ?? new TorchCudaGenerator(seed));
			} finally {
				reporter.end();
			}
		});
	} finally {
		reporter.end();
	}
}

interface Run {
	readonly options: PshumanArguments;
	readonly surroundings: PshumanSurroundings;
	readonly engine: PsHumanEngine;
	readonly weights: OpenedWeights<PshumanCheckpoint>;
	/** What cuts the views out; undefined: their normals. */
	readonly masks: BackgroundNetwork | undefined;
	readonly reporter: RunReporter;
}

/** Folders that may hold the network: that of the weights, and the one above it, where `synchuman download` puts everything. */
const networkFolders = (weights: string) => (syntheticSize(weights) === undefined ? [weights, dirname(weights)] : []);

/** The network for the views. Not looked for with synthetic weights, whose views are noise, unless it is asked for. */
async function viewMaskNetwork(
	{ viewMasks, saveMode, weights }: PshumanArguments,
	synthetic: boolean,
): Promise<BackgroundNetwork | undefined> {
	if (viewMasks === "normals" || saveMode === "concat" || (viewMasks === "auto" && synthetic)) return undefined;
	const network = await findBackgroundNetwork(networkFolders(weights));
	if (network === undefined && viewMasks === "u2net") {
		throw new SyncHumanError(
			"input",
			"--view-masks u2net, and there is no network that removes backgrounds.",
			"synchuman download puts u2net.onnx into the weights folder ($U2NET_HOME counts too); or give --view-masks normals.",
		);
	}
	return network;
}

/** One picture to its folder; the views are on disk before the body begins. */
async function onePicture(
	run: Run,
	{ picture = "", output: folder }: PictureTarget,
	strip: string,
	position: number,
	generator: TorchCudaGenerator,
): Promise<void> {
	const { options, surroundings, engine, weights, masks, reporter } = run;
	const { steps, guidance, eta, cropSize, seed, textureSize, simplify, faceTexels, normalMap } = options;
	const started = performance.now();
	const earlier = engine.measurements.length;
	const source = await readPicture(picture, options);
	const callbacks = { signal: surroundings.signal, onProgress: reporter.progress, onPlan: reporter.plan };
	const remarks: string[] = [];
	const remark = (text: string) => {
		remarks.push(text);
		reporter.remark(text);
	};
	const written: string[] = [];
	const write = async (into: string, files: readonly (readonly [string, Uint8Array])[]) => {
		await writeFiles(into, files);
		written.push(...files.map(([name]) => join(into, name)));
	};
	const image = await cutOut(engine, source, callbacks, remark);
	const views = await engine.views(image, { ...callbacks, seed: generator, steps, guidance, eta, cropSize, onRemark: remark });
	const masked = options.saveMode === "rgb" ? await engine.maskedViews(views, masks?.weights, callbacks) : undefined;
	for (const [into, files] of await pshumanFolders(folder, views, masked, options, strip)) await write(into, files);

	const { openFinishWork } = surroundings;
	const effort = surroundings.effort ?? (options.textureEffort === "sketch" ? sketchEffort : undefined);
	const finish = textureSize === 0 ? undefined : { textureSize, simplify, faceTexels, normalMap, openFinishWork, effort };
	const body = await bodyOrRemark(() => engine.body(views, { ...callbacks, seed, finish }), folder, remark);
	const read = await weights.files();
	if (body !== undefined) {
		const identity = read.length > 0 ? fingerprint(read) : null;
		const { syntheticGeometry } = body;
		const extras = { seed, weights: options.weights, weightsIdentity: identity, reconstructed: true, syntheticGeometry };
		await write(folder, await surfaceFiles(body, options, extras));
		if (options.preview) await write(folder, await previewFiles(() => engine.preview(body, image, callbacks), remark));
		if (options.video) await write(folder, [await turntableFile(body, (request) => engine.draw(request, callbacks), remark)]);
	}
	const record = {
		build: buildReport(),
		input: { file: picture, width: image.width, height: image.height, sha256: samplesHash(image) },
		...{ background: options.background, cutOut: source.cutOut },
		viewMasks: masked === undefined ? null : masks === undefined ? "normals" : `${masks.path} (${masks.byteLength} bytes)`,
		seed,
		random: [
			{ use: "views", generator: "torch CUDA (Philox 4x32-10)", seed, launchLayout: fixedLaunchLayout },
			...(body?.texture === undefined ? [] : [{ use: "texture", generator: "numpy RandomState (mt19937)", seed }]),
		],
		// With the order "run" the noise depends on how many pictures came before.
		...{ seedOrder: options.seedOrder, position },
		...{ steps, guidance, eta, cropSize },
		dtype: engine.dtype,
		weights: weightsRecord(options.weights, weights.synthetic, read),
		adapter: engine.device.report,
		...bodyRecord(body, options),
		remarks,
		parts: partsRecord(engine.measurements.slice(earlier)),
		seconds: Math.round(performance.now() - started) / 1000,
	};
	await write(folder, [["run.json", new TextEncoder().encode(`${JSON.stringify(record, undefined, 2)}\n`)]]);
	const { vertices, faces, seconds, syntheticGeometry } = record;
	const surface = vertices === null ? "no body" : `${vertices} vertices, ${faces} faces`;
	reporter.result(written, { vertices, faces, syntheticGeometry, seconds }, `${surface}; ${seconds.toFixed(1)} s`);
}

async function readPicture(path: string, { background, weights }: PshumanArguments): Promise<PictureToCut> {
	const image = await decodePicture(await readBytes(path, "Give a PNG, JPEG or WebP file."), path);
	return pictureToCut(image, { background, weights: networkFolders(weights) });
}

/** The body, or undefined and a remark where the views show none: they may be used otherwise. */
async function bodyOrRemark(
	make: () => Promise<PsHumanBody>,
	folder: string,
	remark: (text: string) => void,
): Promise<PsHumanBody | undefined> {
	try {
		return await make();
	} catch (error) {
		if (!(error instanceof SyncHumanError) || error.code !== "input") throw error;
		remark(`no body: ${error.message} The views are kept in ${folder}.`);
		return undefined;
	}
}

/** What run.json says of the body; nulls where there is none. */
function bodyRecord(body: PsHumanBody | undefined, { textureSize, simplify }: PshumanArguments) {
	return {
		syntheticGeometry: body?.syntheticGeometry ?? false,
		vertices: body === undefined ? null : body.mesh.positions.length / 3,
		faces: body === undefined ? null : body.mesh.faces.length / 3,
		resolution: body?.resolution ?? null,
		textureSize: body === undefined ? null : textureSize,
		simplify: body?.texture === undefined ? null : simplify,
		repair: body?.repair ?? null,
	};
}

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { DeviceReport } from "../engine/gpu/device.ts";
import type { Image } from "../engine/image/image.ts";
import type { RepairReport } from "../engine/mesh/repair.ts";
import { fixedLaunchLayout, type LaunchLayout } from "../engine/random/philox.ts";
import type { PartMeasurement } from "../engine/stages/part.ts";
import type { StageOneResult, StageTwoResult } from "../engine/stages/results.ts";
import type { GenerateArguments } from "./arguments.ts";
import { type BuildReport, buildReport } from "./project.ts";
import { fingerprint, type WeightFile } from "./weightFiles.ts";

/** How the results in a folder came about: the contents of run.json. */
export interface RunRecord {
	readonly build: BuildReport;
	/** Stages that this run has finished. */
	readonly stages: readonly ("1" | "2")[];
	/** The input picture as stage 1 gets it, cut out: size, and sha256 of its samples. */
	readonly input: { readonly width: number; readonly height: number; readonly sha256: string };
	/** Of the picture's file; null where this run read none (the demo, stage 2 alone). */
	readonly pictureSha256: string | null;
	/** What was asked for about the picture's background, and how the person got out of it; null where stage 1 was made before. */
	readonly background: string | null;
	readonly cutOut: string | null;
	/** Of all random numbers; which generators start from it stands in `random`. */
	readonly seed: number;
	readonly random: readonly RandomUse[];
	/** Choices of a stage that this run has not finished are null. */
	readonly steps: number | null;
	readonly guidance: number | null;
	readonly stageTwoSteps: number | null;
	/** Texels per side of the texture, 0 for colours per vertex. */
	readonly textureSize: number | null;
	/** Null without a texture: faces that were to stay (up to 1 their share), and what was cut away and closed. */
	readonly simplify: number | null;
	readonly textureEffort: "full" | "sketch" | null;
	readonly faceTexels: number | null;
	readonly normalMap: boolean | null;
	readonly repair: RepairReport | null;
	readonly dtype: "f16" | "f32";
	readonly weights: WeightsRecord;
	/** True where the geometry is not the networks' but the analytic figure that stands in with synthetic weights. */
	readonly syntheticGeometry: boolean;
	readonly adapter: DeviceReport;
	readonly voxels: number;
	readonly vertices: number | null;
	readonly faces: number | null;
	readonly gaussians: number | null;
	/** What each part cost, in the order they ran. The seconds are all that differs between two runs of one command. */
	readonly parts: readonly PartMeasurement[];
	readonly seconds: number;
	/** Where stage 2 ran alone: the record of the run that made its stage 1, as found beside the folder. */
	readonly stageOneRun: object | null;
}

/** The weights of a run. */
export interface WeightsRecord {
	readonly name: string;
	readonly synthetic: boolean;
	/** Every file that the run opened; none with synthetic weights, which are a rule. */
	readonly files: readonly WeightFile[];
	/** sha256 over names, headers and recorded hashes of the files; no tensor is read for it (that is `verify`'s). */
	readonly identity: string | null;
}

/** A generator of random numbers and what its numbers are for. */
export interface RandomUse {
	readonly use: string;
	readonly generator: "torch CUDA (Philox 4x32-10)" | "torch CPU (mt19937)" | "numpy RandomState (mt19937)";
	readonly seed: number;
	/** Of torch's CUDA generator: the card whose launches decide which number an element gets. */
	readonly launchLayout?: LaunchLayout;
}

/** What a record is made from. */
export interface RunFacts {
	readonly options: GenerateArguments;
	readonly pictureSha256: string | undefined;
	readonly dtype: "f16" | "f32";
	readonly adapter: DeviceReport;
	readonly synthetic: boolean;
	readonly files: readonly WeightFile[];
	readonly stages: readonly ("1" | "2")[];
	readonly stageOne: StageOneResult;
	readonly stageTwo: StageTwoResult | undefined;
	readonly stageOneRun: object | undefined;
	readonly cutOut: string | undefined;
	readonly measurements: readonly PartMeasurement[];
	readonly seconds: number;
}

/** The record of a run; keys always in the same order. */
export function runRecord(facts: RunFacts): RunRecord {
	const { options, stages, stageOne, stageTwo, files } = facts;
	const first = stages.includes("1");
	return {
		build: buildReport(),
		stages,
		input: { width: stageOne.input.width, height: stageOne.input.height, sha256: samplesHash(stageOne.input) },
		pictureSha256: facts.pictureSha256 ?? null,
		background: first ? options.background : null,
		cutOut: facts.cutOut ?? null,
		seed: options.seed,
		random: randomUses(options.seed, first, stageTwo),
		steps: first ? options.steps : null,
		guidance: first ? options.guidance : null,
		stageTwoSteps: stageTwo ? options.stageTwoSteps : null,
		textureSize: stageTwo ? (stageTwo.texture?.picture.width ?? 0) : null,
		simplify: stageTwo?.texture ? options.simplify : null,
		textureEffort: stageTwo?.texture ? options.textureEffort : null,
		faceTexels: stageTwo?.texture ? options.faceTexels : null,
		normalMap: stageTwo?.texture ? options.normalMap : null,
		repair: stageTwo?.repair ?? null,
		dtype: facts.dtype,
		weights: weightsRecord(options.weights, facts.synthetic, files),
		syntheticGeometry: stageTwo?.syntheticGeometry ?? false,
		adapter: facts.adapter,
		voxels: stageOne.coordinates.length / 4,
		vertices: stageTwo ? stageTwo.mesh.positions.length / 3 : null,
		faces: stageTwo ? stageTwo.mesh.faces.length / 3 : null,
		gaussians: stageTwo ? stageTwo.gaussians.count : null,
		parts: partsRecord(facts.measurements),
		seconds: milliseconds(facts.seconds),
		stageOneRun: facts.stageOneRun ?? null,
	};
}

/** The generators of the stages that ran: each starts afresh, so that stage 2 alone draws the same numbers. */
function randomUses(seed: number, first: boolean, stageTwo: StageTwoResult | undefined): readonly RandomUse[] {
	const views: RandomUse = { use: "views", generator: "torch CUDA (Philox 4x32-10)", seed, launchLayout: fixedLaunchLayout };
	const ofCpu = (use: string): RandomUse => ({ use, generator: "torch CPU (mt19937)", seed });
	return [
		...(first ? [views, ofCpu("structure")] : []),
		...(stageTwo ? [ofCpu("latent flow")] : []),
		...(stageTwo?.texture ? [{ use: "texture", generator: "numpy RandomState (mt19937)", seed } as const] : []),
	];
}

/** The record of stage 1 in a run.json, which may be that of a later run of stage 2; undefined where there is none. */
export async function readStageOneRun(path: string): Promise<object | undefined> {
	try {
		const found = JSON.parse(await readFile(path, "utf8"));
		const run = found.stages.includes("1") ? found : found.stageOneRun;
		return typeof run === "object" && run !== null ? run : undefined;
	} catch {
		// It only informs: a folder of the official Python has none.
		return undefined;
	}
}

/** What a record says of the weights. */
export function weightsRecord(name: string, synthetic: boolean, files: readonly WeightFile[]): WeightsRecord {
	return { name, synthetic, files, identity: files.length > 0 ? fingerprint(files) : null };
}

/** Measurements to the millisecond. */
export function partsRecord(measurements: readonly PartMeasurement[]): readonly PartMeasurement[] {
	return measurements.map(({ part, loadSeconds, compileSeconds, computeSeconds, plannedBytes, peakBytes }) => ({
		part,
		loadSeconds: milliseconds(loadSeconds),
		compileSeconds: milliseconds(compileSeconds),
		computeSeconds: milliseconds(computeSeconds),
		plannedBytes,
		peakBytes,
	}));
}

/** sha256 of a picture's samples. */
export function samplesHash({ data }: Image): string {
	return createHash("sha256").update(data).digest("hex");
}

function milliseconds(seconds: number): number {
	return Math.round(seconds * 1000) / 1000;
}

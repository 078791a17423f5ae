import { defaults } from "../../engine/defaults.ts";
import type { Device } from "../../engine/gpu/device.ts";
import type { Executable } from "../../engine/graph/executable.ts";
import { type Image, imageOf } from "../../engine/image/image.ts";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import { bodyCoordinates } from "../../engine/random/bodyGeometry.ts";
import { TorchCudaGenerator } from "../../engine/random/philox.ts";
import { bareContext, type MemoryPlan, type Part, type PartContext, type PartMeasurement } from "../../engine/stages/part.ts";
import { runPshuman } from "../../engine/stages/pshuman.ts";
import type { StageOneResult } from "../../engine/stages/results.ts";
import { runStageOne } from "../../engine/stages/stage1.ts";
import { runStageTwo } from "../../engine/stages/stage2.ts";
import type { Checkpoint } from "../../weights/checkpoint.ts";
import type { PshumanCheckpoint } from "../../weights/pshumanCheckpoint.ts";
import { syntheticBody } from "../../weights/syntheticCheckpoint.ts";
import { profileRows } from "./kernelRows.ts";
import { type BenchRow, medianRow } from "./report.ts";

/** What running a stage cost. */
export interface StageMeasurement {
	/**
	 * For every part what it took to load its weights and compile its kernels in the first run, and computing as the median of all runs; then for every
	 * graph one replay by itself, as "graph NAME".
	 */
	readonly parts: readonly BenchRow[];
	/** For every graph the dispatches of one replay; empty unless asked for. */
	readonly dispatches: ReadonlyMap<string, readonly BenchRow[]>;
	/** Memory with staged weights, as the first run has them, and with resident ones, as the others have them. */
	readonly plans: readonly MemoryPlan[];
}

/** How a stage is measured. */
export interface StageOptions {
	/** Runs of the whole stage: the first with staged weights, the others with resident ones. */
	readonly repeats: number;
	/** Adds `dispatches`. */
	readonly profiled: boolean;
	/** Told every part of the first run. */
	readonly onPart: (text: string) => void;
}

/** A stage on the built-in sample. */
export interface MeasuredStage {
	readonly run: (context: PartContext) => Promise<unknown>;
	/** Steps of the parts that have some. */
	readonly steps: Readonly<Record<string, number>>;
}

/** What a stage of either kind works with; `steps` of its sampler, undefined: the usual ones. */
export interface StageWork<Kind> {
	readonly checkpoint: Kind;
	readonly dtype: "f16" | "f32";
	readonly steps: number | undefined;
}

/** Stage 1 or 2 of SyncHuman. */
export function synchumanStage(stage: "stage1" | "stage2", { checkpoint, dtype, steps }: StageWork<Checkpoint>): MeasuredStage {
	const request = { checkpoint, dtype, seed: defaults.seed };
	if (stage === "stage2") {
		const count = steps ?? defaults.stageTwoSteps;
		return {
			run: (context) => runStageTwo(context, { ...request, stageOne: sampleStageOne(), steps: count }),
			steps: { "latent flow": count },
		};
	}
	const count = steps ?? defaults.steps;
	return {
		run: (context) => runStageOne(context, { ...request, image: samplePerson(), steps: count, guidance: defaults.guidance }),
		steps: { diffusion: count },
	};
}

/** The views of PSHuman. */
export function pshumanStage({ checkpoint, dtype, steps }: StageWork<PshumanCheckpoint>): MeasuredStage {
	const { seed, guidance, eta, cropSize, ...usual } = defaults.pshuman;
	const count = steps ?? usual.steps;
	const request = { checkpoint, dtype, steps: count, guidance, eta, cropSize };
	return {
		run: (context) => runPshuman(context, { ...request, image: samplePerson(), generator: new TorchCudaGenerator(seed) }),
		steps: { diffusion: count },
	};
}

/** Replays of a graph by itself, once the card has been kept busy for so many milliseconds: its clocks are low when it idles. */
const replays = 5;
const warmUpMs = 150;

/** Runs a stage again and again. */
export async function measureStage(
	device: Device,
	stage: MeasuredStage,
	{ repeats, profiled, onPart }: StageOptions,
): Promise<StageMeasurement> {
	const dispatches = new Map<string, readonly BenchRow[]>();
	const graphs: BenchRow[] = [];
	const plans: MemoryPlan[] = [];
	const runs: PartMeasurement[][] = [];
	const context = bareContext(device);
	const replay = async (part: Part, executables: readonly Executable[]) => {
		for (const [index, graph] of part.graphs.entries()) {
			const name = `graph ${graph.label}`;
			const replayedMs = await replayed(device, executables[index]);
			const rows = profiled ? await profileRows(graph, executables[index]) : [];
			if (profiled) dispatches.set(name, rows);
			const busyMs = profiled ? { busyMs: rows.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0) } : {};
			graphs.push({ ...medianRow({ name, calls: 1 }, replayedMs), ...busyMs });
		}
	};
	for (let run = 0; run < repeats; run++) {
		const measurements: PartMeasurement[] = [];
		const ofRun: PartContext = {
			...context,
			measurements,
			maxMemory: run === 0 ? undefined : Number.POSITIVE_INFINITY,
			onPlan: (plan) => plans.push(plan),
			async onRun(part, executables) {
				if (run > 0) return;
				const { loadSeconds, compileSeconds, computeSeconds } = measurements[measurements.length - 1];
				onPart(
					`${part.name}: ${loadSeconds.toFixed(2)} s loading, ${compileSeconds.toFixed(2)} compiling, ${computeSeconds.toFixed(2)} computing\n`,
				);
				await replay(part, executables);
			},
		};
		await stage.run(ofRun);
		runs.push(measurements);
	}
	context.networks.release();
	const parts = runs[0].flatMap(({ part }, index) =>
		partRows(
			runs.map((run) => run[index]),
			stage.steps[part] ?? 1,
		),
	);
	return { parts: [...parts, ...graphs], dispatches, plans };
}

/** Wall milliseconds of replays, each from the call to the idle GPU, after those that are not counted. */
async function replayed(device: Device, executable: Executable): Promise<readonly number[]> {
	const elapsed: number[] = [];
	const began = performance.now();
	do {
		await executable.run();
		await device.idle();
	} while (performance.now() - began < warmUpMs);
	for (let i = 0; i < replays; i++) {
		const started = performance.now();
		await executable.run();
		await device.idle();
		elapsed.push(performance.now() - started);
	}
	return elapsed;
}

function partRows(runs: readonly PartMeasurement[], calls: number): readonly BenchRow[] {
	const [{ part, loadSeconds, compileSeconds, peakBytes, plannedBytes }] = runs;
	const compute = runs.map(({ computeSeconds }) => computeSeconds * 1000);
	return [
		{ name: `${part}: weights`, calls: 1, elapsedMs: loadSeconds * 1000 },
		{ name: `${part}: compiling`, calls: 1, elapsedMs: compileSeconds * 1000 },
		{ ...medianRow({ name: part, calls }, compute), plannedBytes, peakBytes },
	];
}

/** A stage 1 that was not run: grey views and the voxels of the standing figure. */
export function sampleStageOne(): StageOneResult {
	const grey = (): Image => {
		const side = defaults.viewSize;
		return imageOf(side, side, 3, new Uint8Array(side * side * 3).fill(128));
	};
	const views = Array.from({ length: defaults.views }, grey);
	return { input: samplePerson(), colors: views, normals: views, coordinates: bodyCoordinates(syntheticBody.full) };
}

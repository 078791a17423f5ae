import { defaults } from "../../engine/defaults.ts";
import type { Device } from "../../engine/gpu/device.ts";
import { type Image, imageOf } from "../../engine/image/image.ts";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import { bodyCoordinates } from "../../engine/random/bodyGeometry.ts";
import type { PartContext, PartMeasurement } from "../../engine/stages/part.ts";
import type { StageOneResult } from "../../engine/stages/results.ts";
import { runStageOne } from "../../engine/stages/stage1.ts";
import { runStageTwo } from "../../engine/stages/stage2.ts";
import type { Checkpoint } from "../../weights/checkpoint.ts";
import { syntheticBody } from "../../weights/syntheticCheckpoint.ts";
import { profileRows } from "./kernelRows.ts";
import type { BenchRow } from "./report.ts";
import { bareContext } from "./stepRows.ts";

/** What running a stage cost. */
export interface StageMeasurement {
	/** Two rows a part: reading its weights, and running it. */
	readonly parts: readonly BenchRow[];
	/** For every part the dispatches of one run of each of its graphs; empty unless asked for. */
	readonly dispatches: ReadonlyMap<string, readonly BenchRow[]>;
}

/** Runs a stage on the built-in sample. `onPart` is told every part that has ended. */
export async function measureStage(
	device: Device,
	checkpoint: Checkpoint,
	stage: "stage1" | "stage2",
	options: {
		readonly dtype: "f16" | "f32";
		readonly steps: number | undefined;
		readonly profiled: boolean;
		readonly onPart: (text: string) => void;
	},
): Promise<StageMeasurement> {
	const { dtype, steps, profiled, onPart } = options;
	const dispatches = new Map<string, readonly BenchRow[]>();
	const context: PartContext = {
		...bareContext(device),
		async onRun(part, executables) {
			const { loadSeconds, compileSeconds, computeSeconds } = context.measurements[context.measurements.length - 1];
			onPart(`${part.name}: ${(loadSeconds + compileSeconds + computeSeconds).toFixed(2)} s\n`);
			if (!profiled) return;
			const rows: BenchRow[] = [];
			for (const [index, graph] of part.graphs.entries()) rows.push(...(await profileRows(graph, executables[index], 1)));
			dispatches.set(part.name, rows);
		},
	};
	const request = { checkpoint, dtype, seed: defaults.seed };
	if (stage === "stage1") {
		await runStageOne(context, { ...request, image: samplePerson(), steps: steps ?? defaults.steps, guidance: defaults.guidance });
	} else {
		await runStageTwo(context, { ...request, stageOne: sampleStageOne(), steps: steps ?? defaults.stageTwoSteps });
	}
	return { parts: context.measurements.flatMap((measurement) => measurementRows(measurement)), dispatches };
}

function measurementRows({
	part,
	loadSeconds,
	compileSeconds,
	computeSeconds,
	plannedBytes,
	peakBytes,
}: PartMeasurement): readonly BenchRow[] {
	return [
		{ name: `${part}: weights`, calls: 1, elapsedMs: loadSeconds * 1000 },
		{ name: part, calls: 1, elapsedMs: (compileSeconds + computeSeconds) * 1000, plannedBytes, peakBytes },
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

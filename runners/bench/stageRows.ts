import { defaults } from "../../engine/defaults.ts";
import type { Device } from "../../engine/gpu/device.ts";
import { type Image, imageOf } from "../../engine/image/image.ts";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import { bodyCoordinates } from "../../engine/random/bodyGeometry.ts";
import type { PartMeasurement } from "../../engine/stages/part.ts";
import type { StageOneResult } from "../../engine/stages/results.ts";
import { SyncHuman } from "../../engine/synchuman.ts";
import type { Checkpoint } from "../../weights/checkpoint.ts";
import { syntheticBody } from "../../weights/syntheticCheckpoint.ts";
import type { BenchRow } from "./report.ts";

/** Runs a stage on the built-in sample; two rows a part: reading its weights, and running it. */
export async function stageRows(
	device: Device,
	checkpoint: Checkpoint,
	stage: "stage1" | "stage2",
	options: { readonly dtype: "f16" | "f32"; readonly steps: number | undefined; readonly onPart: (text: string) => void },
): Promise<readonly BenchRow[]> {
	const engine = await SyncHuman.open({ device, weights: checkpoint, dtype: options.dtype });
	const { steps } = options;
	const onProgress = ({ part, step, steps, elapsedMs }: { part: string; step: number; steps: number; elapsedMs: number }) => {
		if (step === steps) options.onPart(`${part}: ${(elapsedMs / 1000).toFixed(2)} s\n`);
	};
	if (stage === "stage1") await engine.stageOne(samplePerson(), { ...(steps !== undefined && { steps }), onProgress });
	else await engine.stageTwo(sampleStageOne(), { ...(steps !== undefined && { stageTwoSteps: steps }), onProgress });
	return engine.measurements.flatMap((measurement) => measurementRows(measurement));
}

function measurementRows({ part, loadSeconds, runSeconds, plannedBytes, peakBytes }: PartMeasurement): readonly BenchRow[] {
	return [
		{ name: `${part}: weights`, calls: 1, elapsedMs: loadSeconds * 1000 },
		{ name: part, calls: 1, elapsedMs: runSeconds * 1000, plannedBytes, peakBytes },
	];
}

/** A stage 1 that was not run: grey views and the voxels of the standing figure. */
function sampleStageOne(): StageOneResult {
	const grey = (): Image => {
		const side = defaults.viewSize;
		return imageOf(side, side, 3, new Uint8Array(side * side * 3).fill(128));
	};
	const views = Array.from({ length: defaults.views }, grey);
	return { input: samplePerson(), colors: views, normals: views, coordinates: bodyCoordinates(syntheticBody.full) };
}

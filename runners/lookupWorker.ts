import { parentPort, workerData } from "node:worker_threads";
import { bakeLookups } from "../engine/mesh/bakeTexture.ts";
import type { BakeObservation, TexturedMesh, TextureSamples } from "../engine/mesh/textureSamples.ts";
import { answerJobs } from "./workerPool.ts";

// Finds where the pixels of a view look the texture up, beside the main thread: a view in, its samples out.

/** What the worker starts with. */
export interface LookupData {
	readonly mesh: TexturedMesh;
	/** Texels per side. */
	readonly size: number;
}

const { mesh, size } = workerData as LookupData;
const lookups = bakeLookups(mesh, size);

answerJobs<BakeObservation>(
	parentPort,
	async (view) => lookups(view),
	(samples) => [(samples as TextureSamples).values.buffer as ArrayBuffer],
);

import { parentPort } from "node:worker_threads";
import { bakeLookups } from "../engine/mesh/bakeTexture.ts";
import type { BakeObservation, TexturedMesh, TextureSamples } from "../engine/mesh/textureSamples.ts";
import { answerJobs } from "./workerPool.ts";

// Finds where the pixels of a view look the texture up, beside the main thread: a view in, its samples out.

/** What the worker is sent. */
export interface LookupJob {
	/** In shared memory, and the same in every job of a worker. */
	readonly mesh: TexturedMesh;
	/** Texels per side. */
	readonly size: number;
	readonly view: BakeObservation;
}

let lookups: ReturnType<typeof bakeLookups> | undefined;

answerJobs<LookupJob>(
	parentPort,
	async ({ mesh, size, view }) => {
		lookups ??= bakeLookups(mesh, size);
		return lookups(view);
	},
	(samples) => [(samples as TextureSamples).values.buffer as ArrayBuffer],
);

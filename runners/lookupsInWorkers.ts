import { availableParallelism } from "node:os";
import type { BakeObservation, TexturedMesh, TextureSamples } from "../engine/mesh/textureSamples.ts";
import type { TextureLookups } from "../engine/stages/finish.ts";
import type { LookupJob } from "./lookupWorker.ts";
import { openWorkerPool, workerModule } from "./workerPool.ts";

/**
 * Finds where views look a texture up, on other threads, which start at once: the same samples, however many there are. Pictures with an alpha
 * channel go over without a copy.
 */
export function lookupsInWorkers(
	size: number,
	{
		threads = Math.min(16, availableParallelism()),
		worker = workerModule("lookupWorker"),
	}: { readonly threads?: number; readonly worker?: URL } = {},
): TextureLookups {
	const pool = openWorkerPool(worker, threads, "texture views");
	pool.startAll();
	let shared: TexturedMesh | undefined;
	return {
		of({ positions, faces, uvs }: TexturedMesh, view: BakeObservation) {
			shared ??= { positions: inShared(positions), faces: inShared(faces), uvs: inShared(uvs) };
			const { buffer, byteLength } = view.color;
			const isOwn = view.mask === undefined && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
			const job: LookupJob = { mesh: shared, size, view };
			return pool.run<TextureSamples>(job, isOwn ? [buffer] : []);
		},
		close: pool.close,
	};
}

/** The same numbers in memory that threads share. */
function inShared<T extends Float32Array | Uint32Array>(values: T): T {
	const made = new (values.constructor as new (buffer: SharedArrayBuffer) => T)(new SharedArrayBuffer(values.byteLength));
	made.set(values);
	return made;
}

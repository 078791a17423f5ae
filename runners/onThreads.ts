import type { RunOptions } from "../engine/synchuman.ts";
import { lookupsInWorkers } from "./lookupsInWorkers.ts";
import { unwrapInWorkers } from "./unwrapInWorkers.ts";

/**
 * Choices of a run that move the CPU's share of the texture to other threads, one a core and at most 16: the same results, sooner, and the
 * calling thread stays free.
 */
export const onThreads: Required<Pick<RunOptions, "unwrap" | "openLookups">> = {
	unwrap: (mesh, { report, ...request }) => unwrapInWorkers(mesh, { ...request, onProgress: report }),
	openLookups: lookupsInWorkers,
};

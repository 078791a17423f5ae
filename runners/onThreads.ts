import type { RunOptions } from "../engine/synchuman.ts";
import { finishWorkInWorkers } from "./finishWorkInWorkers.ts";

/**
 * Choices of a run that move the CPU's share of the finishing to other threads, one a core and at most 16: the same results, sooner, and the
 * calling thread stays free.
 */
export const onThreads: Required<Pick<RunOptions, "openFinishWork">> = { openFinishWork: finishWorkInWorkers };

import type { Weights } from "../../weights/weights.ts";
import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { allocate, readPieceBytes, release } from "../gpu/transfer.ts";
import { compileGraph, type Executable } from "../graph/executable.ts";
import type { Graph } from "../graph/graph.ts";
import { planGraph } from "../graph/plan.ts";

/** Where a run stands, for progress bars and servers. */
export interface Progress {
	/** The part that runs, such as "diffusion". */
	readonly part: string;
	/** Steps done and in all; a part without steps has one. */
	readonly step: number;
	readonly steps: number;
	/** Since the part began. */
	readonly elapsedMs: number;
	/** Until the part ends, from its steps so far; undefined before the first. */
	readonly etaMs: number | undefined;
}

/** What one part cost. */
export interface PartMeasurement {
	readonly part: string;
	/** Reading, converting and uploading weights. */
	readonly loadSeconds: number;
	/** Compiling kernels and running. */
	readonly runSeconds: number;
	/** GPU bytes the part was planned to need beside what it found allocated. */
	readonly plannedBytes: number;
	/** GPU bytes that were held at most, counted at buffer creation; everything included. */
	readonly peakBytes: number;
}

/** GPU memory of the parts of a stage, known before the first of them allocates. */
export interface MemoryPlan {
	readonly stage: string;
	/** Bytes that each part holds while it runs, beside `heldBytes`. */
	readonly parts: readonly { readonly part: string; readonly bytes: number }[];
	/** Bytes that are held already. */
	readonly heldBytes: number;
	/** Bytes that are held at most. */
	readonly peakBytes: number;
}

/** What all parts of a run share. */
export interface PartContext {
	readonly device: Device;
	/** Bytes that the GPU may hold; a stage that needs more is refused before it allocates. */
	readonly maxMemory: number | undefined;
	readonly onProgress: ((progress: Progress) => void) | undefined;
	readonly onPlan: ((plan: MemoryPlan) => void) | undefined;
	readonly signal: AbortSignal | undefined;
	/** Filled part by part. */
	readonly measurements: PartMeasurement[];
	/** Called when a part has run and before it is freed, to replay its graphs under timestamps; not in the part's seconds. */
	readonly onRun?: (part: Part, executables: readonly Executable[]) => Promise<void>;
}

/** A network with its graphs, declared and recorded but not allocated: its memory is known. */
export interface Part {
	readonly name: string;
	readonly weights: readonly Weights[];
	readonly graphs: readonly Graph[];
	/** Tensors that several of its graphs share: allocated before the graphs are compiled, freed with the part. */
	readonly tensors?: readonly Tensor[];
	/** GPU bytes that it allocates besides, while its graphs are there. */
	readonly extraBytes?: number;
}

/** GPU bytes that running a part allocates: weights, everything its graphs hold, and the buffer its results are read through. */
export function partBytes(part: Part): number {
	const held =
		part.graphs.reduce((sum, graph) => sum + planGraph(graph).byteLength, 0) +
		part.weights.reduce((sum, weights) => sum + weights.byteLength, 0);
	const read = [...part.graphs.flatMap((graph) => [...graph.outputs]), ...(part.tensors ?? []).map(({ storage }) => storage)];
	const largestRead = Math.max(0, ...read.map(({ byteLength }) => byteLength));
	const shared = (part.tensors ?? []).reduce((sum, { storage }) => sum + storage.byteLength, 0);
	return held + shared + Math.max(part.extraBytes ?? 0, Math.min(largestRead, readPieceBytes));
}

/**
 * Adds up the parts of a stage that run one after the other, tells `onPlan`, and refuses with the number where `maxMemory` does not
 * suffice, before anything is allocated. `handedOver` are tensors that one part leaves for the next.
 */
export function planStage(context: PartContext, stage: string, parts: readonly Part[], handedOver: readonly Tensor[] = []): void {
	const heldBytes = handedOver.reduce((sum, { storage }) => sum + storage.byteLength, context.device.memory.currentBytes);
	const planned = parts.map((part) => ({ part: part.name, bytes: partBytes(part) }));
	const peakBytes = heldBytes + Math.max(0, ...planned.map(({ bytes }) => bytes));
	context.onPlan?.({ stage, parts: planned, heldBytes, peakBytes });
	if (context.maxMemory !== undefined && peakBytes > context.maxMemory) {
		const [largest] = planned.filter(({ bytes }) => heldBytes + bytes === peakBytes);
		throw new SyncHumanError(
			"memory",
			`${stage}: ${largest.part} needs ${peakBytes} bytes of GPU memory, more than the ${context.maxMemory} allowed.`,
			"Raise --max-memory or use a card with more memory.",
		);
	}
}

/** Throws code "aborted" once the run has been asked to stop. */
export function stopIfAborted(context: PartContext): void {
	if (context.signal?.aborted) throw new SyncHumanError("aborted", "The run was stopped.");
}

/** Reports a step of a part. */
export type StepReport = (step: number, steps: number) => void;

/**
 * Loads a part's weights, compiles its graphs, runs `run`, and frees everything again, also on errors.
 */
export async function runPart<T>(
	context: PartContext,
	part: Part,
	run: (executables: readonly Executable[], report: StepReport) => Promise<T>,
): Promise<T> {
	const { device } = context;
	stopIfAborted(context);
	const started = performance.now();
	const plannedBytes = partBytes(part);
	const before = device.memory.currentBytes;
	device.memory.peakBytes = before;
	let reported = { step: 0, steps: 1 };
	const report: StepReport = (step, steps) => {
		reported = { step, steps };
		const elapsedMs = performance.now() - started;
		context.onProgress?.({ part: part.name, step, steps, elapsedMs, etaMs: step > 0 ? (elapsedMs / step) * (steps - step) : undefined });
	};
	report(0, 1);
	const executables: Executable[] = [];
	try {
		for (const weights of part.weights) await weights.load(device, context.signal && { signal: context.signal });
		await device.idle();
		const loaded = performance.now();
		for (const { storage } of part.tensors ?? []) allocate(device, storage);
		for (const graph of part.graphs) executables.push(await compileGraph(graph));
		const result = await run(executables, report);
		context.measurements.push({
			part: part.name,
			loadSeconds: (loaded - started) / 1000,
			runSeconds: (performance.now() - loaded) / 1000,
			plannedBytes: before + plannedBytes,
			peakBytes: device.memory.peakBytes,
		});
		if (reported.step < reported.steps) report(reported.steps, reported.steps);
		await context.onRun?.(part, executables);
		return result;
	} finally {
		for (const executable of executables) executable.destroy();
		for (const { storage } of part.tensors ?? []) release(device, storage);
		for (const weights of part.weights) weights.release();
	}
}

import type { Weights } from "../../weights/weights.ts";
import { SyncHumanError } from "../error.ts";
import { compileAhead } from "../gpu/compileAhead.ts";
import type { Device } from "../gpu/device.ts";
import type { KernelVariant } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { allocate, readPieceBytes, release } from "../gpu/transfer.ts";
import { compileGraph, type Executable, kernelsToCompile } from "../graph/executable.ts";
import type { Graph } from "../graph/graph.ts";
import { planGraph } from "../graph/plan.ts";
import { Networks } from "./networks.ts";
import type { ViewPreview } from "./viewPreview.ts";
import { uploadBytes, uploadOnDevice } from "./weightUpload.ts";

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
	/** Reading, converting and uploading weights; 0 where they were on the GPU already. Kernels are compiled meanwhile. */
	readonly loadSeconds: number;
	/** What compiling kernels takes longer than loading, and binding them. */
	readonly compileSeconds: number;
	/** Running them. */
	readonly computeSeconds: number;
	/** GPU bytes the part was planned to need beside what it found allocated. */
	readonly plannedBytes: number;
	/** GPU bytes that were held at most, counted at buffer creation; everything included. */
	readonly peakBytes: number;
}

/** GPU memory of the parts of a stage, known before the first of them allocates. */
export interface MemoryPlan {
	readonly stage: string;
	/** Bytes that each part holds while it runs, beside `heldBytes` and `residentBytes`: its weights too where they are staged. */
	readonly parts: readonly { readonly part: string; readonly bytes: number }[];
	/** Bytes that are held already, beside weights. */
	readonly heldBytes: number;
	/** Weights that stay on the GPU, of this stage and of what ran before; 0 where each part loads and frees its own (staged). */
	readonly residentBytes: number;
	/** Bytes that are held at most. */
	readonly peakBytes: number;
}

/** What all parts of a run share. */
export interface PartContext {
	readonly device: Device;
	/** Bytes that the GPU may hold; a stage that needs more is refused before it allocates. */
	readonly maxMemory: number | undefined;
	/** Where the stages' networks are declared. Where `maxMemory` is given and suffices, their weights stay on the GPU. */
	readonly networks: Networks;
	readonly onProgress: ((progress: Progress) => void) | undefined;
	readonly onPlan: ((plan: MemoryPlan) => void) | undefined;
	readonly signal: AbortSignal | undefined;
	/** Called some times in the middle of stage 1; nothing is read back for it unless it is given. */
	readonly onViews?: ((preview: ViewPreview) => void) | undefined;
	/** Filled part by part. */
	readonly measurements: PartMeasurement[];
	/** Called when a part has run and before it is freed, to replay its graphs under timestamps; not in the part's seconds. */
	readonly onRun?: (part: Part, executables: readonly Executable[]) => Promise<void>;
}

/** A context without limits, progress or signal, for parts run by themselves. */
export function bareContext(device: Device): PartContext {
	return {
		device,
		maxMemory: undefined,
		networks: new Networks(),
		onProgress: undefined,
		onPlan: undefined,
		signal: undefined,
		measurements: [],
	};
}

/** A network with its graphs, declared and recorded but not allocated: its memory is known. */
export interface Part {
	readonly name: string;
	readonly weights: readonly Weights[];
	readonly graphs: readonly Graph[];
	/** Tensors that several of its graphs share: allocated before the graphs are compiled, freed with the part. */
	readonly tensors?: readonly Tensor[];
	/** Kernels that it runs besides, in graphs that are recorded when it runs: compiled ahead with those of its graphs. */
	readonly kernels?: readonly KernelVariant[];
	/** GPU bytes that it allocates besides, while its graphs are there. */
	readonly extraBytes?: number;
}

/** GPU bytes that running a part allocates beside its weights: everything its graphs hold, and the buffer its results are read through. */
function workBytes(part: Part): number {
	const held = part.graphs.reduce((sum, graph) => sum + planGraph(graph).byteLength, 0);
	const read = [...part.graphs.flatMap((graph) => [...graph.outputs]), ...(part.tensors ?? []).map(({ storage }) => storage)];
	const largestRead = Math.max(0, ...read.map(({ byteLength }) => byteLength));
	const shared = (part.tensors ?? []).reduce((sum, { storage }) => sum + storage.byteLength, 0);
	return held + shared + Math.max(part.extraBytes ?? 0, Math.min(largestRead, readPieceBytes));
}

/** The same while its weights are loaded, which happens before. */
function beside(part: Part): number {
	return Math.max(workBytes(part), ...part.weights.map(uploadBytes));
}

/**
 * Adds up the parts of a stage that run one after the other and decides whether their weights stay on the GPU: where `maxMemory` is given
 * and holds all of them beside the largest part's work. Tells `onPlan`, refuses with the number where `maxMemory` does not even suffice
 * for staged weights, before anything is allocated; then begins to compile what the parts will run. `handedOver` are tensors that one
 * part leaves for the next.
 */
export async function planStage(
	context: PartContext,
	stage: string,
	parts: readonly Part[],
	handedOver: readonly Tensor[] = [],
): Promise<void> {
	const { device, networks, maxMemory } = context;
	const loaded = networks.loaded;
	const heldBytes = handedOver.reduce((sum, { storage }) => sum + storage.byteLength, device.memory.currentBytes - bytesOf(loaded));
	const worked = parts.map((part) => ({ part: part.name, bytes: beside(part) }));
	const residentBytes = bytesOf(new Set([...loaded, ...parts.flatMap(({ weights }) => weights)]));
	const resident = { worked, residentBytes, peakBytes: heldBytes + residentBytes + largest(worked) };
	const withWeights = parts.map((part, index) => ({ part: part.name, bytes: worked[index].bytes + bytesOf(part.weights) }));
	const staged = { worked: withWeights, residentBytes: 0, peakBytes: heldBytes + largest(withWeights) };
	networks.resident = maxMemory !== undefined && resident.peakBytes <= maxMemory;
	const chosen = networks.resident ? resident : staged;
	context.onPlan?.({ stage, parts: chosen.worked, heldBytes, residentBytes: chosen.residentBytes, peakBytes: chosen.peakBytes });
	if (maxMemory !== undefined && chosen.peakBytes > maxMemory) {
		const [most] = withWeights.filter(({ bytes }) => heldBytes + bytes === chosen.peakBytes);
		throw new SyncHumanError(
			"memory",
			`${stage}: ${most.part} needs ${chosen.peakBytes} bytes of GPU memory, more than the ${maxMemory} allowed.`,
			"Raise --max-memory or use a card with more memory.",
		);
	}
	if (!networks.resident) networks.release();
	const variants = parts.flatMap(({ graphs, kernels = [] }) => [...graphs.flatMap(kernelsToCompile), ...kernels]);
	await compileAhead(device, variants);
}

function bytesOf(weights: Iterable<Weights>): number {
	return [...weights].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function largest(parts: readonly { readonly bytes: number }[]): number {
	return Math.max(0, ...parts.map(({ bytes }) => bytes));
}

/** Throws code "aborted" once the run has been asked to stop. */
export function stopIfAborted(context: PartContext): void {
	if (context.signal?.aborted) throw new SyncHumanError("aborted", "The run was stopped.");
}

/** Reports a step of a part. */
export type StepReport = (step: number, steps: number) => void;

/**
 * Loads those of a part's weights that are not on the GPU yet, compiles its graphs, runs `run`, and frees everything again, also on
 * errors; weights only where they do not stay resident.
 */
export async function runPart<T>(
	context: PartContext,
	part: Part,
	run: (executables: readonly Executable[], report: StepReport) => Promise<T>,
): Promise<T> {
	const { device, networks } = context;
	stopIfAborted(context);
	const started = performance.now();
	const missing = part.weights.filter((weights) => !weights.loaded);
	const before = device.memory.currentBytes;
	const plannedBytes = before + bytesOf(missing) + Math.max(workBytes(part), ...missing.map(uploadBytes));
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
		const upload = uploadOnDevice(device);
		for (const weights of missing) await weights.load(device, { upload, ...(context.signal && { signal: context.signal }) });
		if (missing.length > 0) await device.idle();
		const loaded = performance.now();
		for (const { storage } of part.tensors ?? []) allocate(device, storage);
		for (const graph of part.graphs) executables.push(await compileGraph(graph));
		const compiled = performance.now();
		const result = await run(executables, report);
		context.measurements.push({
			part: part.name,
			loadSeconds: (loaded - started) / 1000,
			compileSeconds: (compiled - loaded) / 1000,
			computeSeconds: (performance.now() - compiled) / 1000,
			plannedBytes,
			peakBytes: device.memory.peakBytes,
		});
		if (reported.step < reported.steps) report(reported.steps, reported.steps);
		await context.onRun?.(part, executables);
		return result;
	} finally {
		for (const executable of executables) executable.destroy();
		for (const { storage } of part.tensors ?? []) release(device, storage);
		if (!networks.resident) for (const weights of part.weights) weights.release();
	}
}

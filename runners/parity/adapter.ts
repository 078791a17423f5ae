import type { Device } from "../../engine/gpu/device.ts";
import type { Folder, TensorSource } from "../../weights/source.ts";

/** A row-major array with its shape, in the layout of the official code (channels first, official batch order). */
export interface HostTensor {
	readonly shape: readonly number[];
	readonly data: Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
}

/** By output name of the golden. Whole tensors: the runner picks the samples and rows that the golden keeps. */
export type ParityOutputs = ReadonlyMap<string, HostTensor>;

/** A golden case, as an adapter sees it. Sizes, seeds and configurations come from here alone: other cases of the same name exist. */
export interface ParityContext {
	/** Name of the case, such as "dit_block". */
	readonly name: string;
	/** The case's folder (the checkpoint of `pipeline` lies in it). */
	readonly folder: Folder;
	/** case.json. */
	// biome-ignore lint/suspicious/noExplicitAny: its form differs from case to case; adapters read what their case holds
	readonly meta: any;
	/** case.json's `config`. */
	// biome-ignore lint/suspicious/noExplicitAny: as above
	readonly config: any;
	readonly seed: number;
	readonly dtype: "f16" | "f32";
	/** A case at full size, made by the official fp16 run. */
	readonly full: boolean;
	/** Names of all outputs the golden has. */
	readonly outputNames: readonly string[];
	/** The weights under their official names: the stored ones, missing ones regenerated. */
	readonly weights: TensorSource;
	/** Folder given by --prompt-embeds. */
	readonly promptEmbeds: Folder | undefined;
	hasInput(name: string): boolean;
	/** An input, regenerated where it is not stored; `shape` is needed only where case.json does not have it. F16 comes as float32. */
	input(name: string, shape?: readonly number[]): Promise<HostTensor>;
	/** A stored output, for what is computed from the golden's own floats (FlexiCubes from `feats`). */
	expected(name: string): HostTensor;
	/** The GPU, opened at the first call. */
	device(): Promise<Device>;
	/** A line for the report. */
	note(text: string): void;
}

/** How our module of a case's name is run. It calls the function that stages/ call. */
export interface Adapter {
	/** "device": a network or kernel, which fails at 0 dispatches; "host": plain TypeScript. */
	readonly runs: "device" | "host";
	/**
	 * The outputs that must be there, out of those the golden has. The others are compared where `run` gives them and listed as "not
	 * compared" where it does not (activations that are fused away).
	 */
	required(outputNames: readonly string[]): readonly string[];
	run(context: ParityContext): Promise<ParityOutputs>;
}

/** What a file of adapters/ exports as `adapters`: by case name. */
export type Adapters = Readonly<Record<string, Adapter>>;

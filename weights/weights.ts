import { createTensor, type Tensor } from "../engine/gpu/tensor.ts";
import { arrangedShape } from "./arrangeWeight.ts";
import { damaged } from "./damaged.ts";
import { type Declaration, type LoadOptions, loadDeclarations, releaseDeclarations, type WeightDevice } from "./loadWeights.ts";
import type { TensorSource, WeightLayout } from "./source.ts";
import { describeShape, sameShape, storedElementBytes } from "./storedTensor.ts";

/** A tensor that a model has asked for by name, as `synchuman synthesize` enumerates a checkpoint. */
export interface DeclaredTensor {
	/** Full name in the checkpoint. */
	readonly name: string;
	readonly storedShape: readonly number[];
	readonly layout: WeightLayout;
	/** Values of a buffer that is computed and not learned, row-major in the stored shape. */
	readonly compute: (() => Float32Array) | undefined;
}

/** Choices at opening. */
export interface WeightsOptions {
	/** Only tensors under these prefixes must all be used; the rest of the file is another reader's. Default: the whole file. */
	readonly within?: readonly string[];
}

interface Root {
	readonly source: TensorSource;
	readonly within: readonly string[] | undefined;
	readonly declarations: Declaration[];
	readonly declared: Map<string, DeclaredTensor>;
	readonly ignored: ((name: string) => boolean)[];
	/** Every name of the source and every path above one; made at the first `has`. */
	paths: ReadonlySet<string> | undefined;
	finished: boolean;
	device: WeightDevice | undefined;
}

/**
 * A checkpoint as a path (candle's VarBuilder): a model walks down with `at` and declares what it needs, synchronously, so that
 * graphs can be recorded and memory planned; `finish` compares the declarations with the file, `load` allocates and fills, `release`
 * frees. Everything but `at`, `path` and the declarations belongs to the whole reader, whichever path it is called on.
 */
export class Weights {
	/** Full name of this place, "" at the root. */
	readonly path: string;
	readonly #root: Root;

	private constructor(root: Root, path: string) {
		this.#root = root;
		this.path = path;
	}

	/** A reader over all tensors of a source. */
	static open(source: TensorSource, options: WeightsOptions = {}): Weights {
		const state = { declarations: [], declared: new Map(), ignored: [], paths: undefined, finished: false, device: undefined };
		return new Weights({ source, within: options.within, ...state }, "");
	}

	/** The place one name or index further down. */
	at(key: string | number): Weights {
		return new Weights(this.#root, this.#name(String(key)));
	}

	/** Whether the file has a tensor of this name or anything below it; `asConfigured` for sources that make what they are asked for. */
	has(leaf: string, asConfigured: boolean): boolean {
		const { source } = this.#root;
		if (source.entries === undefined) return asConfigured;
		this.#root.paths ??= pathsOf(source.entries.keys());
		return this.#root.paths.has(this.#name(leaf));
	}

	/** Declares a tensor. The result has its final shape and no buffer until `load`. */
	tensor(leaf: string, storedShape: readonly number[], layout: WeightLayout): Tensor {
		return this.#declare([leaf], [storedShape], storedShape, layout, undefined);
	}

	/** Declares a buffer that upstream computes and saves: read from a file, computed (row-major, stored shape) where there is none. */
	buffer(leaf: string, storedShape: readonly number[], layout: WeightLayout, compute: () => Float32Array): Tensor {
		return this.#declare([leaf], [storedShape], storedShape, layout, compute);
	}

	/**
	 * Declares several tensors as one, stacked along axis 0 in the given order; `view` and `permute` of the layout apply to the stack.
	 * `eachShape` is the shape of every one, or a list of shapes that differ in their first extent. torch: `torch.cat(tensors)`.
	 */
	stacked(leaves: readonly string[], eachShape: readonly number[] | readonly (readonly number[])[], layout: WeightLayout): Tensor {
		const shapes = leaves.map((_, index) => (isShapeList(eachShape) ? eachShape[index] : eachShape));
		const [, ...rest] = shapes[0];
		if (shapes.some((shape) => shape.length === 0 || !sameShape(shape.slice(1), rest))) {
			throw new RangeError(`weights: ${this.path}: [${leaves}] cannot be stacked along axis 0`);
		}
		const rows = shapes.reduce((sum, shape) => sum + shape[0], 0);
		return this.#declare(leaves, shapes, [rows, ...rest], layout, undefined);
	}

	/** Allows the file to hold tensors that no model uses: a name below this place, or a pattern tested against such names. */
	ignore(leaf: RegExp | string): void {
		const below = this.path === "" ? "" : `${this.path}.`;
		const name = typeof leaf === "string" ? this.#name(leaf) : undefined;
		this.#root.ignored.push((candidate) =>
			leaf instanceof RegExp ? candidate.startsWith(below) && leaf.test(candidate.slice(below.length)) : candidate === name,
		);
	}

	/** Everything declared so far, each name once. */
	get declared(): readonly DeclaredTensor[] {
		return [...this.#root.declared.values()];
	}

	/** Bytes that `load` will allocate for everything declared so far. */
	get byteLength(): number {
		return this.#root.declarations.reduce((sum, { tensor }) => sum + tensor.storage.byteLength, 0);
	}

	/** Bytes in the file of every tensor to load; empty where there is no file. What uploading needs beside `byteLength` follows from them. */
	get storedBytes(): readonly number[] {
		const { source, declarations } = this.#root;
		if (source.place === undefined) return [];
		const bytesOf = (name: string) => {
			const entry = source.entries?.get(name);
			return entry === undefined ? 0 : entry.shape.reduce((product, extent) => product * extent, storedElementBytes(entry.dtype));
		};
		return declarations.map(({ names }) => names.reduce((sum, name) => sum + bytesOf(name), 0));
	}

	/**
	 * Ends the declarations and compares them with the file: missing tensors, tensors that nothing uses and wrong shapes are one error
	 * of code "checkpoint" that lists up to five of each.
	 */
	finish(): void {
		const { source, declared, ignored, within } = this.#root;
		this.#root.finished = true;
		if (source.entries === undefined) return;
		const missing: string[] = [];
		const misshapen: string[] = [];
		for (const { name, storedShape } of declared.values()) {
			const entry = source.entries.get(name);
			if (entry === undefined) missing.push(name);
			else if (!sameShape(entry.shape, storedShape)) {
				misshapen.push(`${name} must be ${describeShape(storedShape)}, got ${describeShape(entry.shape)}`);
			}
		}
		const ours = (name: string) => within === undefined || within.some((prefix) => name === prefix || name.startsWith(`${prefix}.`));
		const leftover = [...source.entries.keys()].filter((name) => !declared.has(name) && ours(name) && !ignored.some((test) => test(name)));
		const problems = [listed("missing", missing), listed("not known to the model", leftover), listed("of another shape", misshapen)];
		const found = problems.filter((problem) => problem !== "").join("; ");
		if (found !== "") {
			throw damaged(
				source.name,
				`does not fit its config: ${found}`,
				"Check that the weights and the config.json belong to the same checkpoint.",
			);
		}
	}

	/**
	 * Allocates all buffers, then streams tensor by tensor: read, checked, cast, rearranged, uploaded. Calls `finish` where it has not
	 * been called. On any error, and on abort (code "aborted"), what was allocated is freed again.
	 */
	async load(device: WeightDevice, options: LoadOptions = {}): Promise<void> {
		if (!this.#root.finished) this.finish();
		if (this.#root.device !== undefined) throw new Error(`weights: ${this.#root.source.name} is loaded already`);
		this.#root.device = device;
		try {
			await loadDeclarations(this.#root.source, this.#root.declarations, device, options);
		} catch (error) {
			this.release();
			throw error;
		}
	}

	/** Whether `load` has been called and nothing has freed the buffers since. */
	get loaded(): boolean {
		return this.#root.device !== undefined;
	}

	/** Destroys the buffers; the tensors can be loaded again. Nothing happens where nothing is loaded. */
	release(): void {
		if (this.#root.device !== undefined) releaseDeclarations(this.#root.declarations, this.#root.device);
		this.#root.device = undefined;
	}

	#name(leaf: string): string {
		return this.path === "" ? leaf : `${this.path}.${leaf}`;
	}

	#declare(
		leaves: readonly string[],
		shapes: readonly (readonly number[])[],
		wholeShape: readonly number[],
		layout: WeightLayout,
		compute: (() => Float32Array) | undefined,
	): Tensor {
		const { declared, declarations, finished } = this.#root;
		const names = leaves.map((leaf) => this.#name(leaf));
		if (finished) throw new Error(`weights: ${names} declared after finish()`);
		for (const [index, name] of names.entries()) {
			const before = declared.get(name);
			if (before !== undefined && !sameShape(before.storedShape, shapes[index])) {
				throw new RangeError(`weights: ${name} declared as [${before.storedShape}] and as [${shapes[index]}]`);
			}
			if (before === undefined) declared.set(name, { name, storedShape: shapes[index], layout, compute });
		}
		const label = names.length === 1 ? names[0] : `${names[0]} and ${names.length - 1} more`;
		const tensor = createTensor(label, layout.dtype, arrangedShape(wholeShape, layout), "resident");
		declarations.push({ names, shapes, wholeShape, layout, compute, tensor });
		return tensor;
	}
}

function isShapeList(shape: readonly number[] | readonly (readonly number[])[]): shape is readonly (readonly number[])[] {
	return Array.isArray(shape[0]);
}

function listed(kind: string, names: readonly string[]): string {
	if (names.length === 0) return "";
	const more = names.length > 5 ? `, and ${names.length - 5} more` : "";
	return `${names.length} ${kind} (${names.slice(0, 5).join(", ")}${more})`;
}

function pathsOf(names: Iterable<string>): ReadonlySet<string> {
	const paths = new Set<string>();
	for (const name of names) {
		for (let end = name.length; end > 0; end = name.lastIndexOf(".", end - 1)) paths.add(name.slice(0, end));
	}
	return paths;
}

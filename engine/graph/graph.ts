import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import { type KernelVariant, variantInterface } from "../gpu/kernel.ts";
import { createTensor, type DType, describe, type Storage, type Tensor, tensorBytes } from "../gpu/tensor.ts";
import type { TensorValues } from "../gpu/transfer.ts";

/** What can be done where a tensor does not fit one binding and cannot be shown in windows. */
export const largerBindings = "Use a GPU with larger storage bindings (synchuman info: largest binding); --dtype f16 needs half as much.";

/** A kernel parameter whose value may change between replays of a graph. */
export interface Scalar {
	readonly name: string;
	value: number;
}

/** What one kernel call needs: the shader with its names filled in, and by name its tensors and Params. */
export interface DispatchRequest extends KernelVariant {
	/** Appended to the current scope in messages and timings; defaults to the shader's name. */
	readonly label?: string;
	/**
	 * By binding name. Read-only bindings left out (or undefined) are bound to 16 zero bytes: an absent bias and the like, for which
	 * the shader has an override.
	 */
	readonly tensors: Readonly<Record<string, Tensor | undefined>>;
	/** Read or written bindings that the shader takes in blocks too (`dispatch`): their tensors lie so where all their users agree. */
	readonly mayBlock?: readonly string[] | undefined;
	/** By Params field; arrays for vectors. */
	readonly params?: Readonly<Record<string, number | boolean | Scalar | readonly number[]>>;
	/** Workgroups in x, y, z; see `foldedWorkgroups` for counts beyond 65,535. */
	readonly workgroups: readonly [number, number?, number?];
}

/** A tensor in its place in a kernel call. */
export interface BoundTensor {
	readonly name: string;
	readonly tensor: Tensor | undefined;
	readonly written: boolean;
	/** Whether the shader takes it in blocks too. */
	readonly mayBlock: boolean;
}

/** A recorded kernel call. */
export interface Dispatch {
	readonly label: string;
	readonly variant: KernelVariant;
	readonly tensors: readonly BoundTensor[];
	readonly params: Readonly<Record<string, number | boolean | Scalar | readonly number[]>>;
	readonly workgroups: readonly [number, number, number];
}

/**
 * Records dispatches; knows no op. Kernels are functions that take a graph, record, and return their output tensors; nothing is
 * allocated or run until `compileGraph`. A graph is recorded once and replayed: what changes is data (inputs) or a `Scalar`.
 */
export class Graph {
	readonly device: Device;
	readonly label: string;
	readonly dispatches: Dispatch[] = [];
	/** Planned storages that keep their own buffer for the graph's life: inputs, outputs, state. */
	readonly pinned = new Set<Storage>();
	/** Those of them that the host reads. */
	readonly outputs = new Set<Storage>();
	readonly scalars = new Map<string, Scalar>();
	/** Host values that compiling uploads once, by the tensor that holds them. */
	readonly constants = new Map<string, { readonly tensor: Tensor; readonly values: () => TensorValues }>();
	/** Named intermediate results, kept when `tapped` says so (parity, debugging). */
	readonly taps = new Map<string, Tensor>();
	readonly #tapped: (name: string) => boolean;
	readonly #scope: string[] = [];
	readonly #written = new Set<Storage>();
	#lastConstant: { readonly key: string; readonly values: TensorValues } | undefined;

	constructor(device: Device, label: string, options: { readonly tapped?: (name: string) => boolean } = {}) {
		this.device = device;
		this.label = label;
		this.#tapped = options.tapped ?? (() => false);
	}

	/** Everything recorded inside `build` is labelled `name/...` (nested scopes join with "."). */
	scope<T>(name: string | number, build: () => T): T {
		this.#scope.push(String(name));
		try {
			return build();
		} finally {
			this.#scope.pop();
		}
	}

	/** The current scope, such as "down_blocks.0.resnets.1". */
	get path(): string {
		return this.#scope.join(".");
	}

	/** An intermediate: written by some dispatch before it is read; its memory is shared by lifetime. */
	tensor(label: string, dtype: DType, shape: readonly number[]): Tensor {
		if (dtype === "f16" && !this.device.report.f16) {
			throw new SyncHumanError("device", `${this.path}${label}: this adapter has no shader-f16`, "Use --dtype f32.");
		}
		return createTensor(this.path === "" ? label : `${this.path}.${label}`, dtype, shape, "planned");
	}

	/** A tensor the host writes (`Executable.write`) before runs; keeps its content between runs. */
	input(label: string, dtype: DType, shape: readonly number[]): Tensor {
		const tensor = this.tensor(label, dtype, shape);
		this.pinned.add(tensor.storage);
		this.#written.add(tensor.storage);
		return tensor;
	}

	/** A tensor of fixed host values, made and uploaded once when the graph is compiled. The same key gives the same tensor. */
	constant(key: string, dtype: DType, shape: readonly number[], values: () => TensorValues): Tensor {
		const found = this.constants.get(key);
		if (found !== undefined) return found.tensor;
		const tensor = createTensor(key, dtype, shape, "planned");
		this.pinned.add(tensor.storage);
		this.#written.add(tensor.storage);
		this.constants.set(key, { tensor, values });
		return tensor;
	}

	/** Key and values of the constant that `tensor` shows whole; undefined for any other tensor. */
	constantOf(tensor: Tensor): { readonly key: string; readonly values: TensorValues } | undefined {
		for (const [key, constant] of this.constants) {
			if (constant.tensor.storage !== tensor.storage || tensorBytes(constant.tensor) !== tensorBytes(tensor)) continue;
			// The pieces of one table are asked for one after the other.
			if (this.#lastConstant?.key !== key) this.#lastConstant = { key, values: constant.values() };
			return this.#lastConstant;
		}
		return undefined;
	}

	/** Keeps a tensor readable after the run. Returns it. */
	output(tensor: Tensor): Tensor {
		if (tensor.storage.kind === "planned") this.pinned.add(tensor.storage);
		this.outputs.add(tensor.storage);
		return tensor;
	}

	/** Names an intermediate result; it is kept only when the graph was made to tap that name. Returns it. */
	tap(name: string, tensor: Tensor): Tensor {
		const full = this.path === "" ? name : name === "" ? this.path : `${this.path}.${name}`;
		if (this.#tapped(full)) this.taps.set(full, this.output(tensor));
		return tensor;
	}

	/** Whether `tap(name, ...)` would keep its tensor; results that kernels fuse away are recorded apart only then. */
	isTapped(name: string): boolean {
		return this.#tapped(this.path === "" ? name : name === "" ? this.path : `${this.path}.${name}`);
	}

	/** A parameter that `Executable.run` may change. */
	scalar(name: string, value: number): Scalar {
		const scalar = { name, value };
		this.scalars.set(name, scalar);
		return scalar;
	}

	/**
	 * Records one kernel call. Checks names and types of tensors and Params against the shader's declarations. A read-only f16 tensor
	 * may be declared as vectors of u32 (16-byte loads of eight halves). A tensor in blocks goes where the shader has been told so: by an
	 * override called "blockedX" for the binding "x".
	 */
	dispatch(request: DispatchRequest): void {
		const { shader, aliases, overrides, tensors, params = {} } = request;
		const variant: KernelVariant = { shader, ...(aliases && { aliases }), ...(overrides && { overrides }) };
		const declared = variantInterface(variant);
		const label = [this.path, request.label ?? shader].filter((part) => part !== "").join("/");
		for (const name of Object.keys(tensors)) {
			if (!declared.storage.some((binding) => binding.name === name))
				throw new Error(`${label}: shader ${shader} has no binding "${name}"`);
		}
		const bound = declared.storage.map((binding): BoundTensor => {
			const tensor = tensors[binding.name];
			const mayBlock = request.mayBlock?.includes(binding.name) ?? false;
			const written = binding.access === "read_write";
			if (tensor === undefined) {
				if (written) throw new Error(`${label}: output "${binding.name}" is missing`);
				return { name: binding.name, tensor, written, mayBlock };
			}
			this.#check(
				label,
				binding.name,
				tensor,
				binding.dtype === "u32" && binding.lanes > 1 && tensor.dtype === "f16" ? "f16" : binding.dtype,
			);
			return { name: binding.name, tensor, written, mayBlock };
		});
		for (const { name, tensor } of bound) {
			const told = overrides?.[blockedOverride(name)] ?? false;
			if (tensor && told !== (tensor.inBlocks ?? false))
				throw new Error(`${label}: ${name} must lie ${told ? "in blocks" : "row by row"}, got ${describe(tensor)}`);
		}
		const storages = bound.flatMap((b) => (b.tensor ? [{ storage: b.tensor.storage, written: b.written, name: b.name }] : []));
		for (const { storage, written, name } of storages) {
			if (written && storages.filter((other) => other.storage === storage).length > 1) {
				throw new Error(`${label}: "${name}" is written and bound a second time; use another tensor (no in-place through two bindings)`);
			}
			if (!written && storage.kind === "planned" && !this.#written.has(storage))
				throw new Error(`${label}: "${name}" (${storage.label}) is read before it is written`);
		}
		for (const { storage, written } of storages) if (written) this.#written.add(storage);
		const fields = declared.params?.fields ?? [];
		for (const field of fields) if (!(field.name in params)) throw new Error(`${label}: Params.${field.name} is missing`);
		for (const name of Object.keys(params))
			if (!fields.some((f) => f.name === name)) throw new Error(`${label}: shader ${shader} has no Params.${name}`);
		const [x, y = 1, z = 1] = request.workgroups;
		if (!(x <= 65535 && y <= 65535 && z <= 65535))
			throw new Error(`${label}: ${x} x ${y} x ${z} workgroups; fold counts beyond 65,535 with foldedWorkgroups`);
		if (x * y * z === 0) return;
		this.dispatches.push({ label, variant, tensors: bound, params, workgroups: [x, y, z] });
	}

	#check(label: string, name: string, tensor: Tensor, dtype: DType): void {
		if (tensor.dtype !== dtype) throw new Error(`${label}: ${name} must be ${dtype}, got ${describe(tensor)}`);
		if (tensor.byteOffset % 256 !== 0) throw new Error(`${label}: ${name} starts at byte ${tensor.byteOffset}, which is not 256-aligned`);
		const limit = this.device.report.limits.maxStorageBufferBindingSize;
		if (tensorBytes(tensor) > limit) {
			throw new SyncHumanError(
				"memory",
				`${label}: ${name} ${describe(tensor)} has ${tensorBytes(tensor)} bytes, more than one binding can show (${limit})`,
				largerBindings,
			);
		}
	}
}

/** The override that tells a shader whether a binding lies in blocks: "blockedX" for "x". */
export function blockedOverride(name: string): string {
	return `blocked${name[0].toUpperCase()}${name.slice(1)}`;
}

/** Workgroup counts (x, y) with x * y >= count and both <= 65,535; a shader finds its index as id.x + id.y * num_workgroups.x. */
export function foldedWorkgroups(count: number): [number, number] {
	if (count <= 65535) return [count, 1];
	const rows = Math.ceil(count / 65535);
	return [Math.ceil(count / rows), rows];
}

import { SyncHumanError } from "../error.ts";
import type { Device } from "../gpu/device.ts";
import { compileKernel, type Kernel, type KernelVariant } from "../gpu/kernel.ts";
import { type Storage, type Tensor, tensorBytes } from "../gpu/tensor.ts";
import { readTensor, readUnsigned, type TensorValues, writeTensor } from "../gpu/transfer.ts";
import { layInBlocks } from "./blocks.ts";
import type { Dispatch, Graph, Scalar } from "./graph.ts";
import { type Plan, paramsStride, planGraph, zeroBytes } from "./plan.ts";
import { timedPasses } from "./timestamps.ts";

/** GPU time of one dispatch. */
export interface DispatchTime {
	readonly label: string;
	readonly shader: string;
	readonly elapsedMs: number;
}

/** A graph with memory, ready to be replayed. */
export interface Executable {
	readonly plan: Plan;
	readonly dispatchCount: number;
	/** Sets scalars, encodes every dispatch and submits. Resolves when submitted (not when done); validation errors name the graph. */
	run(scalars?: Readonly<Record<string, number>>): Promise<void>;
	/** Overwrites an input. Values are converted to f16 where the tensor is. */
	write(tensor: Tensor, values: TensorValues): void;
	/** The values of an output after the runs submitted so far; f16 comes back as f32. */
	read(tensor: Tensor): Promise<Float32Array>;
	readIntegers(tensor: Tensor): Promise<Uint32Array>;
	/** Runs once with a timestamp around every dispatch. Throws where the device has no timestamps. */
	profile(scalars?: Readonly<Record<string, number>>): Promise<readonly DispatchTime[]>;
	/** Runs once as `run` does and gives the GPU's milliseconds. Throws where the device has no timestamps. */
	timed(scalars?: Readonly<Record<string, number>>): Promise<number>;
	/** Runs once, dispatch by dispatch, and shows every written tensor to `inspect` right after it was written. */
	runInspected(inspect: (label: string, tensor: Tensor) => Promise<void>): Promise<void>;
	destroy(): void;
}

interface BoundDispatch {
	readonly dispatch: Dispatch;
	readonly kernel: Kernel;
	readonly bindGroup: GPUBindGroup;
}

/**
 * Lays a recorded graph in blocks and gives the kernels that `compileGraph` then compiles, in the order of its dispatches. Nothing may be
 * recorded, or made an output, after it.
 */
export function kernelsToCompile(graph: Graph): KernelVariant[] {
	layInBlocks(graph);
	return graph.dispatches.map(({ variant }) => variant);
}

/**
 * Allocates a recorded graph's memory, compiles its kernels and binds them. `maxBytes` refuses, with the number, before anything is
 * allocated. Resident tensors must have their buffers by now.
 */
export async function compileGraph(graph: Graph, options: { readonly maxBytes?: number } = {}): Promise<Executable> {
	const { device } = graph;
	const plan = planGraph(graph);
	const variants = kernelsToCompile(graph);
	if (plan.byteLength > (options.maxBytes ?? Number.POSITIVE_INFINITY)) {
		throw new SyncHumanError(
			"memory",
			`${graph.label}: needs ${plan.byteLength} bytes, more than the ${options.maxBytes} left`,
			"Raise --max-memory or use a card with more memory.",
		);
	}
	for (const storage of plan.resident) {
		if (storage.buffer === undefined) throw new Error(`${graph.label}: ${storage.label} is not loaded`);
	}
	const kernels = await Promise.all(variants.map((variant) => compileKernel(device, variant)));
	const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
	const owned: GPUBuffer[] = [];
	const create = (label: string, byteLength: number, use: number) => {
		const buffer = device.createBuffer(label, byteLength, use);
		owned.push(buffer);
		return buffer;
	};
	return device.guarded(graph.label, () => {
		const slots = plan.slots.map((byteLength, index) => create(`${graph.label} slot ${index}`, byteLength, usage));
		for (const [storage, slot] of plan.slotOf) storage.buffer = slots[slot];
		for (const storage of plan.pinned) storage.buffer = create(storage.label, storage.byteLength, usage);
		for (const { tensor, values } of graph.constants.values()) if (tensor.storage.buffer) writeTensor(device, tensor, values());
		const zero = create("zero", zeroBytes, usage);
		const params = create(`${graph.label} params`, plan.paramsBytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
		const packed = packParams(graph.dispatches, kernels);
		device.gpu.queue.writeBuffer(params, 0, packed.bytes);
		const bound = graph.dispatches.map((dispatch, index) => ({
			dispatch,
			kernel: kernels[index],
			bindGroup: bind(device, dispatch, kernels[index], index, params, zero),
		}));
		return executable(graph, plan, bound, owned, params, packed);
	});
}

function bind(device: Device, dispatch: Dispatch, kernel: Kernel, index: number, params: GPUBuffer, zero: GPUBuffer): GPUBindGroup {
	const entries: GPUBindGroupEntry[] = dispatch.tensors.map(({ tensor }, position) => ({
		binding: kernel.interface.storage[position].binding,
		resource:
			tensor === undefined
				? { buffer: zero }
				: { buffer: bufferOf(tensor.storage), offset: tensor.byteOffset, size: Math.ceil(Math.max(4, tensorBytes(tensor)) / 4) * 4 },
	}));
	if (kernel.interface.params) {
		entries.push({
			binding: kernel.interface.params.binding,
			resource: { buffer: params, offset: index * paramsStride, size: kernel.interface.params.byteLength },
		});
	}
	return device.gpu.createBindGroup({ label: dispatch.label, layout: kernel.layout, entries });
}

function bufferOf(storage: Storage): GPUBuffer {
	if (storage.buffer === undefined) throw new Error(`${storage.label}: has no memory`);
	return storage.buffer;
}

interface PackedParams {
	readonly bytes: Uint8Array<ArrayBuffer>;
	/** Where each scalar stands in `bytes`. */
	readonly uses: readonly { readonly scalar: Scalar; readonly byteOffset: number; readonly type: "u32" | "i32" | "f32" }[];
}

function packParams(dispatches: readonly Dispatch[], kernels: readonly Kernel[]): PackedParams {
	const bytes = new Uint8Array(Math.max(1, dispatches.length) * paramsStride);
	const view = new DataView(bytes.buffer);
	const uses: { scalar: Scalar; byteOffset: number; type: "u32" | "i32" | "f32" }[] = [];
	dispatches.forEach((dispatch, index) => {
		const declared = kernels[index].interface.params;
		if (declared === undefined) return;
		if (declared.byteLength > paramsStride) throw new Error(`${dispatch.label}: Params are larger than ${paramsStride} bytes`);
		for (const field of declared.fields) {
			const value = dispatch.params[field.name];
			const byteOffset = index * paramsStride + field.byteOffset;
			if (typeof value === "object" && "name" in value) {
				uses.push({ scalar: value, byteOffset, type: field.type });
				setScalar(view, byteOffset, field.type, value.value);
			} else {
				const values = typeof value === "object" ? value : [Number(value)];
				if (values.length !== field.count)
					throw new Error(`${dispatch.label}: Params.${field.name} must be ${field.count} numbers, got ${values.length}`);
				values.forEach((v, i) => {
					setScalar(view, byteOffset + i * 4, field.type, v);
				});
			}
		}
	});
	return { bytes, uses };
}

function setScalar(view: DataView, byteOffset: number, type: "u32" | "i32" | "f32", value: number): void {
	if (type === "f32") view.setFloat32(byteOffset, value, true);
	else if (type === "i32") view.setInt32(byteOffset, value, true);
	else view.setUint32(byteOffset, value, true);
}

function executable(
	graph: Graph,
	plan: Plan,
	bound: readonly BoundDispatch[],
	owned: GPUBuffer[],
	params: GPUBuffer,
	packed: PackedParams,
): Executable {
	const { device } = graph;
	const { gpu } = device;
	const setScalars = (scalars: Readonly<Record<string, number>> = {}) => {
		const view = new DataView(packed.bytes.buffer);
		for (const [name, value] of Object.entries(scalars)) {
			const scalar = graph.scalars.get(name);
			if (scalar === undefined) throw new Error(`${graph.label}: has no scalar "${name}"`);
			scalar.value = value;
		}
		if (Object.keys(scalars).length === 0) return;
		for (const use of packed.uses) setScalar(view, use.byteOffset, use.type, use.scalar.value);
		gpu.queue.writeBuffer(params, 0, packed.bytes);
	};
	const encode = (pass: GPUComputePassEncoder, { dispatch, kernel, bindGroup }: BoundDispatch) => {
		pass.setPipeline(kernel.pipeline);
		pass.setBindGroup(0, bindGroup);
		pass.dispatchWorkgroups(...dispatch.workgroups);
	};
	return {
		plan,
		dispatchCount: bound.length,
		run: (scalars) =>
			device.guarded(graph.label, () => {
				setScalars(scalars);
				// In pieces, the first ones short: the GPU works while the rest is encoded.
				for (let start = 0, count = 16; start < bound.length; start += count, count = Math.min(2 * count, 256)) {
					const encoder = gpu.createCommandEncoder({ label: graph.label });
					const pass = encoder.beginComputePass({ label: graph.label });
					for (const one of bound.slice(start, start + count)) encode(pass, one);
					pass.end();
					gpu.queue.submit([encoder.finish()]);
				}
			}),
		write: (tensor, values) => {
			writeTensor(device, tensor, values);
		},
		read: (tensor) => readTensor(device, tensor),
		readIntegers: (tensor) => readUnsigned(device, tensor),
		profile: (scalars) =>
			device.guarded(`${graph.label} profile`, async () => {
				setScalars(scalars);
				const times = await timedPasses(device, bound.length, (pass, index) => encode(pass, bound[index]));
				return bound.map(({ dispatch }, index) => ({
					label: dispatch.label,
					shader: dispatch.variant.shader,
					elapsedMs: times[index],
				}));
			}),
		timed: (scalars) =>
			device.guarded(`${graph.label} timed`, async () => {
				setScalars(scalars);
				const [elapsedMs] = await timedPasses(device, 1, (pass) => {
					for (const one of bound) encode(pass, one);
				});
				return elapsedMs;
			}),
		async runInspected(inspect) {
			for (const one of bound) {
				await device.guarded(one.dispatch.label, () => {
					const encoder = gpu.createCommandEncoder({ label: one.dispatch.label });
					const pass = encoder.beginComputePass({ label: one.dispatch.label });
					encode(pass, one);
					pass.end();
					gpu.queue.submit([encoder.finish()]);
				});
				for (const { tensor, written } of one.dispatch.tensors)
					if (written && tensor !== undefined) await inspect(one.dispatch.label, tensor);
			}
		},
		destroy() {
			for (const buffer of owned) device.destroyBuffer(buffer);
			owned.length = 0;
			for (const storage of [...plan.slotOf.keys(), ...plan.pinned]) storage.buffer = undefined;
		},
	};
}

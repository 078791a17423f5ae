import type { Device } from "../../engine/gpu/device.ts";
import { compileKernel, variantKey } from "../../engine/gpu/kernel.ts";
import { createTensor, type Storage, type Tensor } from "../../engine/gpu/tensor.ts";
import { allocate, release } from "../../engine/gpu/transfer.ts";
import { layInBlocks } from "../../engine/graph/blocks.ts";
import { compileGraph, type Executable } from "../../engine/graph/executable.ts";
import { type Dispatch, Graph } from "../../engine/graph/graph.ts";
import { syntheticFill } from "../../engine/kernels/dense/syntheticFill.ts";
import { dispatchWork } from "./dispatchWork.ts";
import type { BenchRow } from "./report.ts";

/**
 * Milliseconds that the card is kept busy with a kernel before it is timed, without a gap between the two: its clocks fall as soon as it waits.
 * And how often it is timed, and how many milliseconds of calls together at least: a single short call is mostly start and end.
 */
const timing = Object.freeze({ warmUp: 80, times: 2, together: 2 });

/** Calls in one graph. */
const maxTogether = 512;

/** Which kernel calls of a graph are timed. */
export interface KernelChoice {
	/** compute: what computes more than it moves (products, convolutions, attentions); memory: all others. */
	readonly bound: "compute" | "memory";
}

/**
 * Times every different kernel call of a graph, each in a graph of its own over random data, times its calls: the best of some, once the card has been
 * kept busy. Nothing of the graph itself is allocated.
 */
export async function kernelRows(
	device: Device,
	source: Graph,
	{ bound }: KernelChoice,
	onRow?: (row: BenchRow) => void,
): Promise<readonly BenchRow[]> {
	layInBlocks(source);
	const different = new Map<string, { readonly dispatch: Dispatch; calls: number }>();
	for (const dispatch of source.dispatches) {
		if (dispatchWork(dispatch).flops > 0 !== (bound === "compute")) continue;
		const dtypes = dispatch.tensors.map(({ tensor }) => tensor?.dtype ?? "");
		const key = JSON.stringify([variantKey(dispatch.variant), dispatch.params, dtypes]);
		const known = different.get(key);
		if (known) known.calls++;
		else different.set(key, { dispatch, calls: 1 });
	}
	await Promise.all([...different.values()].map(({ dispatch }) => compileKernel(device, dispatch.variant)));
	const rows: BenchRow[] = [];
	for (const { dispatch, calls } of different.values()) {
		const { shape, flops, bytes } = dispatchWork(dispatch);
		const elapsedMs = await timeAlone(device, source, dispatch);
		const row = {
			name: dispatch.variant.shader,
			shape,
			calls,
			elapsedMs: elapsedMs * calls,
			flops: flops * calls,
			bytes: bytes * calls,
		};
		rows.push(row);
		onRow?.(row);
	}
	return rows;
}

/** GPU milliseconds of one call. */
async function timeAlone(device: Device, source: Graph, dispatch: Dispatch): Promise<number> {
	const graph = new Graph(device, dispatch.label);
	const owned: Storage[] = [];
	const filling = new Graph(device, "random data");
	const constants = new Map([...source.constants].map(([key, { tensor, values }]) => [tensor.storage, { key, values }]));
	const copies = new Map<Storage, Storage>();
	const copyOf = (tensor: Tensor): Tensor => {
		const constant = constants.get(tensor.storage);
		if (constant) return graph.constant(constant.key, tensor.dtype, tensor.shape, constant.values);
		const known = copies.get(tensor.storage);
		if (known) return { ...tensor, storage: known };
		const { storage } = createTensor(tensor.storage.label, "u32", [Math.ceil(tensor.storage.byteLength / 4)], "resident");
		allocate(device, storage);
		owned.push(storage);
		copies.set(tensor.storage, storage);
		if (tensor.dtype === "f16" || tensor.dtype === "f32") {
			const shape = [storage.byteLength / (tensor.dtype === "f16" ? 2 : 4)];
			const whole: Tensor = { dtype: tensor.dtype, storage, byteOffset: 0, shape };
			syntheticFill(filling, { target: whole, key: owned.length, offset: 0, scale: 1, storedShape: whole.shape });
		}
		return { ...tensor, storage };
	};
	const executables: Executable[] = [];
	try {
		const tensors = Object.fromEntries(dispatch.tensors.map(({ name, tensor }) => [name, tensor && copyOf(tensor)]));
		const record = () =>
			graph.dispatch({ ...dispatch.variant, label: dispatch.label, tensors, params: dispatch.params, workgroups: dispatch.workgroups });
		record();
		if (filling.dispatches.length > 0) {
			const fill = await compileGraph(filling);
			executables.push(fill);
			await fill.run();
		}
		const once = await compileGraph(graph);
		executables.push(once);
		await once.run();
		const firstMs = Math.max(0.001, await once.timed());
		const together = Math.min(maxTogether, Math.ceil(timing.together / firstMs));
		for (let call = 1; call < together; call++) record();
		const executable = together === 1 ? once : await compileGraph(graph);
		if (together > 1) executables.push(executable);
		let best = Number.POSITIVE_INFINITY;
		for (let time = 0; time < timing.times; time++) {
			// Not waited for: what is timed is submitted behind it, while it runs.
			for (let warm = 0; warm < timing.warmUp; warm += firstMs * together) void executable.run();
			best = Math.min(best, (await executable.timed()) / together);
		}
		return best;
	} finally {
		for (const executable of executables) executable.destroy();
		for (const storage of owned) release(device, storage);
	}
}

/** Every dispatch of a compiled graph with its GPU time, the least of `runs`; rows in the order of the graph. */
export async function profileRows(graph: Graph, executable: Executable, runs = 3): Promise<readonly BenchRow[]> {
	let best: number[] = [];
	for (let run = 0; run < runs; run++) {
		const times = await executable.profile();
		best = times.map(({ elapsedMs }, index) => Math.min(elapsedMs, best[index] ?? Number.POSITIVE_INFINITY));
	}
	return graph.dispatches.map((dispatch, index) => ({
		name: `${dispatch.label} | ${dispatch.variant.shader}`,
		calls: 1,
		elapsedMs: best[index],
		...dispatchWork(dispatch),
	}));
}

import type { Device } from "../../engine/gpu/device.ts";
import { compileKernel, variantKey } from "../../engine/gpu/kernel.ts";
import { createTensor, type Storage, type Tensor } from "../../engine/gpu/tensor.ts";
import { allocate, release } from "../../engine/gpu/transfer.ts";
import { compileGraph, type Executable } from "../../engine/graph/executable.ts";
import { type Dispatch, Graph } from "../../engine/graph/graph.ts";
import { syntheticFill } from "../../engine/kernels/dense/syntheticFill.ts";
import { dispatchWork } from "./dispatchWork.ts";
import type { BenchRow } from "./report.ts";

/** Milliseconds: how long the card is kept busy before its clocks count as high, and how long a shape is measured. */
const timing = Object.freeze({ warmUp: 150, measure: 40 });

/**
 * Times every different kernel call of a graph that computes more than it moves (products, convolutions, attentions), each in a graph of
 * its own over random data: the best of several runs, times its calls. Nothing of the graph itself is allocated.
 */
export async function kernelRows(device: Device, source: Graph, onRow?: (row: BenchRow) => void): Promise<readonly BenchRow[]> {
	const different = new Map<string, { readonly dispatch: Dispatch; calls: number }>();
	for (const dispatch of source.dispatches) {
		if (dispatchWork(dispatch).flops === 0) continue;
		const dtypes = dispatch.tensors.map(({ tensor }) => tensor?.dtype ?? "");
		const key = JSON.stringify([variantKey(dispatch.variant), dispatch.params, dtypes]);
		const known = different.get(key);
		if (known) known.calls++;
		else different.set(key, { dispatch, calls: 1 });
	}
	await Promise.all([...different.values()].map(({ dispatch }) => compileKernel(device, dispatch.variant)));
	const rows: BenchRow[] = [];
	let warm = false;
	for (const { dispatch, calls } of different.values()) {
		const { shape, flops, bytes } = dispatchWork(dispatch);
		const elapsedMs = await timeAlone(device, source, dispatch, warm ? 0 : timing.warmUp);
		warm = true;
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

/** Milliseconds of one call, the least of some; the card is kept busy for `warmUpMs` first. */
async function timeAlone(device: Device, source: Graph, dispatch: Dispatch, warmUpMs: number): Promise<number> {
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
			const whole = { ...tensor, storage, byteOffset: 0, shape: [storage.byteLength / (tensor.dtype === "f16" ? 2 : 4)] };
			syntheticFill(filling, { target: whole, key: owned.length, offset: 0, scale: 1, storedShape: whole.shape });
		}
		return { ...tensor, storage };
	};
	const executables: Executable[] = [];
	try {
		const tensors = Object.fromEntries(dispatch.tensors.map(({ name, tensor }) => [name, tensor && copyOf(tensor)]));
		graph.dispatch({ ...dispatch.variant, label: dispatch.label, tensors, params: dispatch.params, workgroups: dispatch.workgroups });
		if (filling.dispatches.length > 0) {
			const fill = await compileGraph(filling);
			executables.push(fill);
			await fill.run();
		}
		const executable = await compileGraph(graph);
		executables.push(executable);
		for (const end = performance.now() + warmUpMs; performance.now() < end; ) {
			for (let i = 0; i < 4; i++) await executable.run();
			await device.idle();
		}
		let best = Number.POSITIVE_INFINITY;
		const started = performance.now();
		for (let runs = 0; runs < 3 || (runs < 20 && performance.now() - started < timing.measure); runs++) {
			const [{ elapsedMs }] = await executable.profile();
			best = Math.min(best, elapsedMs);
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

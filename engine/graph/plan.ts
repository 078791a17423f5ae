import type { Storage } from "../gpu/tensor.ts";
import type { Graph } from "./graph.ts";

/** Where every planned storage of a graph lives, and what it costs, before anything is allocated. */
export interface Plan {
	/** Bytes of each shared slot. */
	readonly slots: readonly number[];
	/** Slot of each storage that shares memory by lifetime. */
	readonly slotOf: ReadonlyMap<Storage, number>;
	/** Storages with a buffer of their own: inputs, outputs, state. */
	readonly pinned: readonly Storage[];
	/** Resident storages the graph uses but does not own (weights, constants). */
	readonly resident: readonly Storage[];
	/** Bytes of all Params of the graph. */
	readonly paramsBytes: number;
	/** Bytes that compiling the graph allocates: slots + pinned + Params. Resident storages are not counted. */
	readonly byteLength: number;
}

/** Distance of two dispatches' Params in the uniform buffer; WebGPU's default offset alignment. */
export const paramsStride = 256;

/**
 * Assigns storages to slots by lifetime, largest first, each to the first slot whose occupants' lifetimes it does not touch.
 * A storage lives from the dispatch that first names it to the last, both included, so an input and an output of one dispatch
 * never share a buffer. Deterministic.
 */
export function planGraph(graph: Graph): Plan {
	const lifetimes = new Map<Storage, { first: number; last: number }>();
	const resident = new Set<Storage>();
	graph.dispatches.forEach((dispatch, index) => {
		for (const { tensor } of dispatch.tensors) {
			if (tensor === undefined) continue;
			if (tensor.storage.kind === "resident") {
				resident.add(tensor.storage);
				continue;
			}
			const life = lifetimes.get(tensor.storage);
			if (life === undefined) lifetimes.set(tensor.storage, { first: index, last: index });
			else life.last = index;
		}
	});
	const shared = [...lifetimes].filter(([storage]) => !graph.pinned.has(storage));
	const order = shared.map((entry, index) => ({ storage: entry[0], ...entry[1], index }));
	order.sort((a, b) => b.storage.byteLength - a.storage.byteLength || a.index - b.index);
	const slots: { byteLength: number; lives: { first: number; last: number }[] }[] = [];
	const slotOf = new Map<Storage, number>();
	for (const { storage, first, last } of order) {
		let slot = slots.findIndex((candidate) => candidate.lives.every((life) => last < life.first || first > life.last));
		if (slot < 0) {
			slot = slots.length;
			slots.push({ byteLength: storage.byteLength, lives: [] });
		}
		slots[slot].lives.push({ first, last });
		slotOf.set(storage, slot);
	}
	// Tables of which only pieces are read (constants of their own) need no memory.
	const unused = new Set([...graph.constants.values()].map(({ tensor }) => tensor.storage));
	for (const storage of [...lifetimes.keys(), ...graph.outputs]) unused.delete(storage);
	const pinned = [...graph.pinned].filter((storage) => !unused.has(storage));
	const paramsBytes = Math.max(1, graph.dispatches.length) * paramsStride;
	const slotBytes = slots.map((slot) => slot.byteLength);
	const byteLength = [...slotBytes, ...pinned.map((storage) => storage.byteLength)].reduce((a, b) => a + b, paramsBytes + zeroBytes);
	return { slots: slotBytes, slotOf, pinned, resident: [...resident], paramsBytes, byteLength };
}

/** Bytes of the buffer of zeros that stands in for absent read-only tensors. */
export const zeroBytes = 16;

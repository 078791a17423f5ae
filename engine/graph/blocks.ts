import { blockRows, blockWidth, elementBytes, type Storage } from "../gpu/tensor.ts";
import { type BoundTensor, blockedOverride, type Graph } from "./graph.ts";

/**
 * Lays those intermediates in blocks that every kernel which touches them takes so, if they are matrices of halves of whole blocks: kernels on
 * subgroup matrices are faster with them, and no other asks for them. For a recorded graph, before it is compiled; once more changes nothing.
 */
export function layInBlocks(graph: Graph): void {
	const users = new Map<Storage, BoundTensor[]>();
	for (const { tensors } of graph.dispatches) {
		for (const bound of tensors) {
			const storage = bound.tensor?.storage;
			if (storage?.kind !== "planned" || graph.pinned.has(storage)) continue;
			const known = users.get(storage);
			if (known) known.push(bound);
			else users.set(storage, [bound]);
		}
	}
	const inBlocks = new Set([...users].filter(([storage, bound]) => agree(storage, bound)).map(([storage]) => storage));
	graph.dispatches.forEach((dispatch, index) => {
		const changed = dispatch.tensors.filter(({ tensor }) => tensor && inBlocks.has(tensor.storage));
		if (changed.length === 0) return;
		const told = Object.fromEntries(changed.map(({ name }) => [blockedOverride(name), true]));
		graph.dispatches[index] = {
			...dispatch,
			variant: { ...dispatch.variant, overrides: { ...dispatch.variant.overrides, ...told } },
			tensors: dispatch.tensors.map((bound) =>
				changed.includes(bound) && bound.tensor ? { ...bound, tensor: { ...bound.tensor, inBlocks: true } } : bound,
			),
		};
	});
}

/** Whether a storage is read, and all its users see the same matrix of whole blocks, or whole blocks of it, and take it so. */
function agree(storage: Storage, users: readonly BoundTensor[]): boolean {
	const width = users[0].tensor?.shape.at(-1) ?? 0;
	const blockBytes = blockRows * width * elementBytes("f16");
	return (
		width % blockWidth === 0 &&
		storage.byteLength % blockBytes === 0 &&
		users.some(({ written }) => !written) &&
		users.every(
			({ tensor, mayBlock }) =>
				mayBlock && tensor?.dtype === "f16" && tensor.shape.at(-1) === width && tensor.byteOffset % blockBytes === 0,
		)
	);
}

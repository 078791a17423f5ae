import type { Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { bindingLimit } from "../../graph/windows.ts";
import { multiprocessors } from "./subgroupMatrix.ts";

/** What an attention kernel reads and writes besides its tables. */
export interface Attended {
	readonly q: Tensor;
	readonly k: Tensor;
	readonly v: Tensor;
	readonly y: Tensor;
}

/** Which query tiles of an attention one workgroup computes, and how many share each of the others. */
export interface AttentionDivision {
	/** The first tiles, of a workgroup each. */
	readonly wholeTiles: number;
	/** Workgroups of each of the other tiles, every one with a part of the keys; 1 where there are no others. */
	readonly parts: number;
}

/** Of the sums in parts of one attention, so that they stay a small share of a step's memory. */
const mostPartBytes = 2 ** 26;

/**
 * The fastest division of `tiles` query tiles over `keys` keys, by what workgroups take on an H200 (docs/attention.md), which runs
 * three on each of its multiprocessors: full waves of workgroups compute whole tiles, and the rest, which would leave most of the GPU idle,
 * is computed in parts of the keys where these gain 3 % and 10 us.
 */
export function chooseDivision(graph: Graph, tiles: number, keys: number, headSize: number): AttentionDivision {
	const keyTiles = Math.ceil(keys / 16);
	const bytesOfPart = 16 * vectorsOfPart(headSize);
	const atOnce = 3 * multiprocessors;
	const rest = tiles % atOnce;
	const whole = { wholeTiles: tiles, parts: 1 };
	const fullWaves = Math.floor(tiles / atOnce) * waveMicroseconds(keyTiles);
	const wholeTime = fullWaves + microseconds(rest, keyTiles);
	let [best, time] = [whole, Math.min(0.97 * wholeTime, wholeTime - 10)];
	for (let parts = 2; parts * 4 <= keyTiles && parts * rest * bytesOfPart <= mostPartBytes; parts++) {
		const joining = 4 + parts * rest * bytesOfPart * 3.3e-7;
		const inParts = fullWaves + microseconds(parts * rest, Math.ceil(keyTiles / parts)) + joining;
		if (inParts < time) [best, time] = [{ wholeTiles: tiles - rest, parts }, inParts];
	}
	return best.parts * (tiles - best.wholeTiles) * bytesOfPart <= bindingLimit(graph) ? best : whole;
}

/** Of workgroups that go through `keyTiles` tiles each: full waves, and a last one that is the shorter the fewer share a multiprocessor. */
function microseconds(workgroups: number, keyTiles: number): number {
	const last = (workgroups % (3 * multiprocessors)) / multiprocessors;
	const waves = Math.floor(workgroups / (3 * multiprocessors)) + (last === 0 ? 0 : last <= 1 ? 0.65 : last <= 2 ? 0.95 : 1);
	return waves * waveMicroseconds(keyTiles);
}

/** Of three workgroups on every multiprocessor: their tiles of 128 queries by 16 keys, and what is besides. */
function waveMicroseconds(keyTiles: number): number {
	return 0.868 * keyTiles + 8;
}

/** Vectors of four floats that a workgroup stores of its part: sums of 128 queries, then their largest scores and sums of weights. */
function vectorsOfPart(headSize: number): number {
	return 32 * headSize + 128;
}

/** One call of the kernels on subgroup matrices, over runs of rows. */
interface CallInParts {
	readonly label: string;
	readonly tensors: Attended;
	readonly params: Readonly<Record<string, number>> & { readonly wholeTiles: number; readonly parts: number };
	readonly tiles: number;
	readonly headSize: number;
}

/** Records attention whose query tiles behind `wholeTiles` are computed in parts, and what joins these in their order: the same bytes every time. */
export function attentionKeyParts(graph: Graph, { label, tensors, params, tiles, headSize }: CallInParts): void {
	const inParts = tiles - params.wholeTiles;
	const sums = graph.tensor(`${label} sums`, "f32", [params.parts * inParts * vectorsOfPart(headSize), 4]);
	const aliases = { Output: tensors.y.dtype };
	const headBlocks = headSize / 16;
	graph.dispatch({
		shader: "dense/attentionKeyParts",
		label,
		aliases,
		overrides: { headBlocks },
		tensors: { ...tensors, sums },
		mayBlock: ["y"],
		params,
		workgroups: foldedWorkgroups(params.wholeTiles + params.parts * inParts),
	});
	const workgroupSize = 128;
	graph.dispatch({
		shader: "dense/attentionKeyPartsJoin",
		label: `${label} join`,
		aliases,
		overrides: { headBlocks, workgroupSize },
		tensors: { sums, y: tensors.y },
		mayBlock: ["y"],
		params,
		workgroups: foldedWorkgroups((inParts * 32 * headSize) / workgroupSize),
	});
}

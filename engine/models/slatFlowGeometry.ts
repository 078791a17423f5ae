// upstream: SyncHuman/models/SecondStage/structured_latent_flow.py, its sparse levels (IGL-HKUST/SyncHuman 1b540b7)

import type { Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { positionEmbedding } from "../kernels/dense/positionEmbedding.ts";
import { mostChildren, type PooledVoxels, pooledVoxels } from "../kernels/sparse/pooledVoxels.ts";
import { submanifoldNeighbours, submanifoldTaps } from "../kernels/sparse/submanifoldNeighbours.ts";
import { type VoxelSet, voxelSet } from "../kernels/sparse/voxelSet.ts";

/** The voxels of a flow and their halvings, from the finest on; what follows from coordinates alone. */
export interface SlatFlowGeometry {
	/** Levels 0 (the voxels) .. n (the tokens of the transformer). */
	readonly levels: readonly { readonly set: VoxelSet; readonly neighbours: Int32Array<ArrayBuffer> }[];
	/** From level i to level i + 1. */
	readonly poolings: readonly PooledVoxels[];
}

/** Pools voxels `coords` [n, 4] so many times. Throws code "input" for a voxel given twice. */
export function slatFlowGeometry(coords: Int32Array, poolings: number): SlatFlowGeometry {
	let set = voxelSet(coords);
	const levels = [{ set, neighbours: submanifoldNeighbours(set) }];
	const between: PooledVoxels[] = [];
	for (let i = 0; i < poolings; i++) {
		const pooled = pooledVoxels(set);
		between.push(pooled);
		set = pooled.parents;
		levels.push({ set, neighbours: submanifoldNeighbours(set) });
	}
	return { levels, poolings: between };
}

/** The tables of a level as constants of a graph, made when first asked for. */
export interface FlowLevelTables {
	/** i32 [voxels, 27]. */
	neighbours(): Tensor;
	/** i32 [parents, 8]. */
	childrenOf(): Tensor;
	/** i32 [voxels, 1]. */
	parentOf(): Tensor;
	/** i32 [voxels, 27] parents of the neighbours. */
	parentNeighbours(): Tensor;
}

/** Tables of every level, and the position embedding of the tokens, f32 [tokens, channels]. */
export interface FlowTables {
	readonly levels: readonly FlowLevelTables[];
	positions(channels: number): Tensor;
}

/** The geometry as constants of a graph. */
export function flowTables(graph: Graph, { levels, poolings }: SlatFlowGeometry): FlowTables {
	const table = (name: string, shape: readonly number[], values: () => Int32Array<ArrayBuffer>) =>
		graph.constant(name, "i32", shape, values);
	return {
		levels: levels.map(({ set, neighbours }, level) => ({
			neighbours: () => table(`neighbours ${level}`, [set.count, submanifoldTaps], () => neighbours),
			childrenOf: () => table(`children ${level}`, [poolings[level].parents.count, mostChildren], () => poolings[level].childrenOf),
			parentOf: () => table(`parents ${level}`, [set.count, 1], () => poolings[level].parentOf),
			parentNeighbours: () =>
				table(`parents of neighbours ${level}`, [set.count, submanifoldTaps], () =>
					neighbours.map((row) => (row < 0 ? -1 : poolings[level].parentOf[row])),
				),
		})),
		positions(channels) {
			const { set } = levels[levels.length - 1];
			const coordinates = set.coords.filter((_, index) => index % 4 !== 0);
			return graph.constant(`positions ${channels}`, "f32", [set.count, channels], () => positionEmbedding(coordinates, channels));
		},
	};
}

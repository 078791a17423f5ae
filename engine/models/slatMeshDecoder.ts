// upstream: SyncHuman/models/SecondStage/structured_latent_vae/decoder_mesh.py (IGL-HKUST/SyncHuman 1b540b7)

import type { ConfigReader } from "../../weights/configReader.ts";
import type { Weights } from "../../weights/weights.ts";
import { type DType, rowsOf, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { subdividedNeighbours } from "../kernels/sparse/subdividedNeighbours.ts";
import { submanifoldNeighbours, submanifoldTaps } from "../kernels/sparse/submanifoldNeighbours.ts";
import { voxelSet } from "../kernels/sparse/voxelSet.ts";
import { declareLinear, type Linear } from "../layers/linear.ts";
import { declareSparseSubdivideBlock, recordSparseSubdivideBlock, type SparseSubdivideBlock } from "../layers/sparseSubdivideBlock.ts";
import {
	declareSlatDecoder,
	readSlatDecoderConfig,
	recordSlatDecoder,
	type SlatDecoder,
	type SlatDecoderConfig,
	type SlatDecoderInput,
} from "./slatDecoder.ts";

/** SLatMeshDecoder: structured latents to the features of FlexiCubes' cubes, at four times the resolution. */
export interface SlatMeshDecoderConfig {
	readonly trunk: SlatDecoderConfig;
	/** Groups of the norms of the subdividing blocks. */
	readonly groups: number;
	/** Whether the head has the 48 colour channels. */
	readonly colors: boolean;
}

/** Features of a cube: sdf 8, deformation 8 x 3, weights 21, then colours 8 x 6; corner by corner. */
export const cubeChannels = Object.freeze({ withoutColors: 53, withColors: 101 });

/** Times the latents' resolution is doubled, and the trunk's width over the width after each doubling. */
const widthDivisors = [4, 8] as const;

/** Reads `args` of the model's config.json; engine.json's optional `num_groups_of_subdivide_blocks` replaces the official 32. */
export function readSlatMeshDecoderConfig(config: ConfigReader, engine: ConfigReader): SlatMeshDecoderConfig {
	const trunk = readSlatDecoderConfig(config, engine);
	const groups = engine.integer("num_groups_of_subdivide_blocks", { fallback: 32, min: 1 });
	if (trunk.channels % (8 * groups) !== 0) throw config.error("model_channels", `must be a multiple of ${8 * groups}`);
	return { trunk, groups, colors: config.object("representation_config").boolean("use_color", false) };
}

/** The declared network. */
export interface SlatMeshDecoder {
	readonly config: SlatMeshDecoderConfig;
	readonly trunk: SlatDecoder;
	readonly upsample: readonly SparseSubdivideBlock[];
	readonly output: Linear;
}

/** Declares every tensor of the network. */
export function declareSlatMeshDecoder(weights: Weights, config: SlatMeshDecoderConfig, dtype: DType): SlatMeshDecoder {
	const { trunk, groups, colors } = config;
	const widths = [trunk.channels, ...widthDivisors.map((divisor) => trunk.channels / divisor)];
	return {
		config,
		trunk: declareSlatDecoder(weights, trunk, dtype),
		upsample: widthDivisors.map((_, i) =>
			declareSparseSubdivideBlock(weights.at("upsample").at(i), { channels: widths[i], outChannels: widths[i + 1], groups }, dtype),
		),
		output: declareLinear(weights.at("out_layer"), colors ? cubeChannels.withColors : cubeChannels.withoutColors, widths[2], "f32"),
	};
}

/**
 * Records the network. Returns the cubes' features, f32 [64 * voxels, 53 or 101], whose rows belong to `subdividedCoordinates` applied
 * twice. Without `withColors` the colour channels, which no result of the official pipeline shows, are not computed.
 */
export function recordSlatMeshDecoder(graph: Graph, model: SlatMeshDecoder, input: SlatDecoderInput, withColors: boolean): Tensor {
	let x = recordSlatDecoder(graph, model.trunk, input);
	const voxels = input.coords.length / 4;
	let neighbours = graph.constant("neighbours", "i32", [voxels, submanifoldTaps], () => submanifoldNeighbours(voxelSet(input.coords)));
	model.upsample.forEach((block, i) => {
		x = graph.scope(`upsample.${i}`, () => {
			const parentNeighbours = neighbours;
			neighbours = subdividedNeighbours(graph, parentNeighbours);
			return graph.tap("", recordSparseSubdivideBlock(graph, block, { x, neighbours, parentNeighbours }));
		});
	});
	const channels = withColors ? cubeChannels.withColors : cubeChannels.withoutColors;
	const { weight, bias } = model.output;
	if (weight.shape[0] < channels) throw new Error(`${graph.path}: the head has no colours`);
	const y = matmul(graph, {
		x,
		weight: rowsOf(weight, 0, channels),
		bias: bias && rowsOf(bias, 0, channels),
		outputDtype: "f32",
		label: "out_layer",
	});
	return graph.tap("out_layer", y);
}

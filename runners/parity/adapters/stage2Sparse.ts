import type { Tensor } from "../../../engine/gpu/tensor.ts";
import { copyColumns } from "../../../engine/kernels/dense/copyColumns.ts";
import { activate } from "../../../engine/kernels/dense/elementwise.ts";
import { groupNorm } from "../../../engine/kernels/dense/groupNorm.ts";
import { layerNorm } from "../../../engine/kernels/dense/layerNorm.ts";
import { matmul } from "../../../engine/kernels/dense/matmul.ts";
import { positionEmbedding } from "../../../engine/kernels/dense/positionEmbedding.ts";
import { mostChildren, pooledVoxels } from "../../../engine/kernels/sparse/pooledVoxels.ts";
import { sparseConvolution } from "../../../engine/kernels/sparse/sparseConvolution.ts";
import { subdividedNeighbours } from "../../../engine/kernels/sparse/subdividedNeighbours.ts";
import { childrenPerVoxel, subdividedCoordinates } from "../../../engine/kernels/sparse/subdividedVoxels.ts";
import { submanifoldNeighbours, submanifoldTaps } from "../../../engine/kernels/sparse/submanifoldNeighbours.ts";
import { sparsePool, sumRows } from "../../../engine/kernels/sparse/sumRows.ts";
import { voxelSet } from "../../../engine/kernels/sparse/voxelSet.ts";
import { declareAffine, declareLinear } from "../../../engine/layers/linear.ts";
import {
	declareSparseConvolution,
	declareSparseResBlock,
	recordSparseResBlock,
	recordSparseResModulation,
} from "../../../engine/layers/sparseResBlock.ts";
import {
	declarePointwiseSparseConvolution,
	declareSparseSubdivideBlock,
	recordSparseSubdivideBlock,
} from "../../../engine/layers/sparseSubdivideBlock.ts";
import { flowTables, slatFlowGeometry } from "../../../engine/models/slatFlowGeometry.ts";
import { timestepEmbedding } from "../../../engine/samplers/timestepEmbedding.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { recordedRun, runOnce } from "../recordedRun.ts";
import { batchRows, coordinatesOf, keptRows, keptShape, withoutBatch } from "../sparseRows.ts";

async function runSparseOps(context: ParityContext): Promise<ParityOutputs> {
	const { channels, out, groups } = context.config.args;
	const coords = coordinatesOf(await context.input("coords"));
	const x = await context.input("x");
	const times = await context.input("t");
	const { dtype } = context;
	const parts = batchRows(coords);
	const values = await recordedRun(
		context,
		(weights) => ({
			linear: declareLinear(weights.at("linear"), out, channels, dtype),
			norm: declareAffine(weights.at("groupnorm32"), channels),
		}),
		({ graph, input }, { linear, norm }) => {
			const rows = input("x", dtype, x.shape, x.data);
			const normed = parts.map(([start, end]) =>
				groupNorm(graph, {
					x: input("batch element", dtype, [1, end - start, channels], x.data.slice(start * channels, end * channels)),
					groups,
					eps: 1e-5,
					affine: norm,
				}),
			);
			return {
				linear: matmul(graph, { x: rows, ...linear }),
				layernorm32: layerNorm(graph, { x: rows, eps: 1e-6 }),
				silu: activate(graph, rows, "silu"),
				gelu_tanh: activate(graph, rows, "geluTanh"),
				...Object.fromEntries(normed.map((tensor, batch) => [`norm ${batch}`, tensor])),
			};
		},
	);
	const outputs = new Map<string, HostTensor>(values);
	const groupNorms = new Float32Array(x.data.length);
	parts.forEach(([start], batch) => {
		groupNorms.set(values.get(`norm ${batch}`)?.data ?? [], start * channels);
		outputs.delete(`norm ${batch}`);
	});
	outputs.set("groupnorm32", { shape: x.shape, data: groupNorms });
	// Tables whose names say how wide they are, and of how many voxels.
	const positions = withoutBatch(coords);
	for (const name of context.outputNames) {
		const [, table, width, , rows] = /^(pos_embed|timestep_embedding)_(\d+)(_first(\d+))?$/.exec(name) ?? [];
		if (table === "pos_embed") {
			const first = rows === undefined ? positions : positions.subarray(0, Number(rows) * 3);
			outputs.set(name, { shape: [first.length / 3, Number(width)], data: positionEmbedding(first, Number(width)) });
		} else if (table === "timestep_embedding") {
			outputs.set(name, { shape: [times.data.length, Number(width)], data: timestepEmbedding([...times.data], Number(width)) });
		}
	}
	return outputs;
}

/** sparse_conv3d and sparse_conv3d_full_grid. */
async function runSparseConvolution(context: ParityContext): Promise<ParityOutputs> {
	const { in_channels, out_channels } = context.config.args;
	const coords = coordinatesOf(await context.input("coords"));
	const x = await context.input("x");
	const count = coords.length / 4;
	const table = submanifoldNeighbours(voxelSet(coords));
	const { dtype } = context;
	const pointwise = context.outputNames.includes("conv1");
	const values = await recordedRun(
		context,
		(weights) => ({
			three: declareSparseConvolution(weights.at("conv3").at("conv"), out_channels, in_channels, dtype),
			one: pointwise ? declarePointwiseSparseConvolution(weights.at("conv1").at("conv"), out_channels, in_channels, dtype) : undefined,
		}),
		({ graph, input }, { three, one }) => {
			const rows = input("x", dtype, x.shape, x.data);
			const neighbours = input("neighbours", "i32", [count, submanifoldTaps], table);
			const conv3 = sparseConvolution(graph, { x: rows, ...three, neighbours });
			return { conv3, ...(one && { conv1: matmul(graph, { x: rows, ...one }) }) };
		},
	);
	const outputs = new Map<string, HostTensor>(values);
	if (context.outputNames.includes("neighbours")) {
		outputs.set("neighbours", { shape: [count, submanifoldTaps], data: table.map((row) => (row < 0 ? count : row)) });
	}
	return outputs;
}

async function runSparseSpatial(context: ParityContext): Promise<ParityOutputs> {
	const coords = coordinatesOf(await context.input("coords"));
	const x = await context.input("x");
	const count = coords.length / 4;
	const { parents, parentOf, childrenOf } = pooledVoxels(voxelSet(coords));
	const rows = context.expected("subdivide.rows").data;
	const { dtype } = context;
	const values = await runOnce(await context.device(), context, ({ graph, input }) => {
		const features = input("x", dtype, x.shape, x.data);
		const down = sparsePool(graph, features, input("children", "i32", [parents.count, mostChildren], childrenOf));
		return {
			"down.feats": down,
			"up.feats": sumRows(graph, { x: down, table: input("parents", "i32", [count, 1], parentOf) }),
			"subdivide.feats": sumRows(graph, {
				x: features,
				table: input(
					"rows",
					"i32",
					[rows.length, 1],
					Int32Array.from(rows, (row) => Math.floor(row / childrenPerVoxel)),
				),
			}),
		};
	});
	return new Map<string, HostTensor>(values)
		.set("down.coords", { shape: [parents.count, 4], data: parents.coords })
		.set("down.index", { shape: [count], data: parentOf })
		.set("up.coords", { shape: [count, 4], data: coords })
		.set("subdivide.coords", keptRows({ shape: [count * childrenPerVoxel, 4], data: subdividedCoordinates(coords) }, rows));
}

async function runSubdivideBlock(context: ParityContext): Promise<ParityOutputs> {
	const { channels, out_channels } = context.config.args;
	const config = { channels, outChannels: out_channels, groups: context.config.args.num_groups ?? 32 };
	const coords = coordinatesOf(await context.input("coords"));
	const x = await context.input("x");
	const fineRows = (coords.length / 4) * childrenPerVoxel;
	const { dtype } = context;
	const values = await recordedRun(
		context,
		(weights) => declareSparseSubdivideBlock(weights, config, dtype),
		({ graph, input }, block) => {
			const table = submanifoldNeighbours(voxelSet(coords));
			const parentNeighbours = input("neighbours", "i32", [coords.length / 4, submanifoldTaps], table);
			const y = graph.scope("act", () =>
				recordSparseSubdivideBlock(graph, block, {
					x: input("x", dtype, x.shape, x.data),
					neighbours: subdividedNeighbours(graph, parentNeighbours),
					parentNeighbours,
				}),
			);
			return { y };
		},
	);
	const rows = context.expected("rows").data;
	const fine = [...values].map(([name, value]) => [name, value.shape[0] === fineRows ? keptRows(value, rows) : value] as const);
	return new Map<string, HostTensor>(fine).set("coords", keptRows({ shape: [fineRows, 4], data: subdividedCoordinates(coords) }, rows));
}

/** plain(x) -> a; down(a) -> d; up([d, d]) -> u; cat([u, a]) -> e. */
async function runResBlock(context: ParityContext): Promise<ParityOutputs> {
	const coords = coordinatesOf(await context.input("coords"));
	const x = await context.input("x");
	const emb = await context.input("emb");
	const { dtype } = context;
	const geometry = slatFlowGeometry(coords, 1);
	const outputWidth = (name: string) => keptShape(context, name)[1];
	const widths: readonly (readonly [name: string, from: number])[] = [
		["plain", x.shape[1]],
		["down", outputWidth("plain")],
		["up", 2 * outputWidth("down")],
		["cat", outputWidth("up") + outputWidth("plain")],
	];
	const values = await recordedRun(
		context,
		(weights) =>
			Object.fromEntries(
				widths.map(([name, channels]) => {
					const config = { channels, outChannels: outputWidth(name), timeChannels: emb.shape[1] };
					return [name, declareSparseResBlock(weights.at(name), config, dtype)];
				}),
			),
		({ graph, input }, blocks) => {
			const [fine, coarse] = flowTables(graph, geometry).levels;
			const timeSilu = activate(graph, input("emb", "f32", emb.shape, emb.data), "silu");
			const both = (left: Tensor, right: Tensor) => {
				const tensor = graph.tensor("both", left.dtype, [left.shape[0], left.shape[1] + right.shape[1]]);
				copyColumns(graph, { x: left, into: { tensor } });
				return copyColumns(graph, { x: right, into: { tensor, column: left.shape[1] } });
			};
			const common = (name: string) => ({
				modulation: { tensor: recordSparseResModulation(graph, blocks[name], timeSilu) },
				neighbours: fine.neighbours(),
			});
			const plain = recordSparseResBlock(graph, blocks.plain, { ...common("plain"), x: input("x", dtype, x.shape, x.data) });
			const down = recordSparseResBlock(graph, blocks.down, {
				...common("down"),
				x: plain,
				neighbours: coarse.neighbours(),
				resampling: { kind: "pool", childrenOf: fine.childrenOf() },
			});
			const up = recordSparseResBlock(graph, blocks.up, {
				...common("up"),
				x: both(down, down),
				resampling: { kind: "upsample", parentOf: fine.parentOf(), parentNeighbours: fine.parentNeighbours() },
			});
			return { plain, down, up, cat: recordSparseResBlock(graph, blocks.cat, { ...common("cat"), x: both(up, plain) }) };
		},
	);
	const { parents } = geometry.poolings[0];
	return new Map<string, HostTensor>(values).set("down.coords", { shape: [parents.count, 4], data: parents.coords });
}

const everything = (names: readonly string[]) => names.filter((name) => !/(^|\.)rows$/.test(name));

/** The golden cases of the sparse operations and blocks. */
export const adapters: Adapters = {
	sparse_ops: { runs: "device", required: everything, run: runSparseOps },
	sparse_conv3d: { runs: "device", required: everything, run: runSparseConvolution },
	sparse_conv3d_full_grid: { runs: "device", required: everything, run: runSparseConvolution },
	sparse_spatial: { runs: "device", required: everything, run: runSparseSpatial },
	sparse_subdivide_block: { runs: "device", required: everything, run: runSubdivideBlock },
	sparse_resblock: { runs: "device", required: everything, run: runResBlock },
};

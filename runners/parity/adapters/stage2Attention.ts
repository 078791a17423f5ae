import { reshape } from "../../../engine/gpu/tensor.ts";
import type { Graph } from "../../../engine/graph/graph.ts";
import { type AttentionWindows, attention } from "../../../engine/kernels/dense/attention.ts";
import { activate } from "../../../engine/kernels/dense/elementwise.ts";
import { gatherRows } from "../../../engine/kernels/dense/gatherRows.ts";
import { matmul } from "../../../engine/kernels/dense/matmul.ts";
import { rmsNorm } from "../../../engine/kernels/dense/rmsNorm.ts";
import { windowPartition } from "../../../engine/kernels/sparse/windowPartition.ts";
import { declareLinear } from "../../../engine/layers/linear.ts";
import {
	declareModulatedTransformerBlock,
	recordContextKeyValues,
	recordModulatedTransformerBlock,
	recordModulation,
} from "../../../engine/layers/modulatedTransformerBlock.ts";
import {
	declareSparseSelfAttention,
	declareSparseTransformerBlock,
	recordSparseAttention,
	recordSparseTransformerBlock,
	type SparseSelfAttention,
	type VoxelWindows,
} from "../../../engine/layers/sparseTransformerBlock.ts";
import { voxelWindows } from "../../../engine/models/slatDecoder.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { recordedRun } from "../recordedRun.ts";
import { likeGolden, serialization } from "../serializedAttention.ts";
import { batchRows, coordinatesOf, keptRows } from "../sparseRows.ts";

/** Sizes that the case's constructor calls have and its config does not (goldens/README.md). */
const windowSize = 8;
const serialized = { size: 128, shift: 64 };

async function runSparseAttention(context: ParityContext): Promise<ParityOutputs> {
	const { channels, num_heads: heads, ctx_channels: contextChannels } = context.config.args;
	const coords = coordinatesOf(await context.input("coords"));
	const x = await context.input("x");
	const condition = await context.input("context");
	const { dtype } = context;
	const headSize = channels / heads;
	const [count] = x.shape;
	const [, contextTokens] = condition.shape;
	const batches = batchRows(coords);
	const runs = serialization(coords, serialized.size, serialized.shift);
	const values = await recordedRun(
		context,
		(weights) => {
			const self = (name: string) => declareSparseSelfAttention(weights.at(name), channels, heads, dtype);
			const gamma = (name: string) => weights.at("full_rms").at(name).tensor("gamma", [heads, headSize], { dtype: "f32" });
			const cross = weights.at("cross");
			return {
				self: Object.fromEntries(["full", "full_rms", "win0", "win4", "serial"].map((name) => [name, self(name)])),
				gammas: { query: gamma("q_rms_norm"), key: gamma("k_rms_norm") },
				toQuery: declareLinear(cross.at("to_q"), channels, channels, dtype),
				toKeyValue: declareLinear(cross.at("to_kv"), 2 * channels, contextChannels, dtype),
				crossOut: declareLinear(cross.at("to_out"), channels, channels, dtype),
			};
		},
		({ graph, input }, model) => {
			const rows = input("x", dtype, x.shape, x.data);
			const offsets = (label: string, starts: readonly number[]) => input(label, "u32", [starts.length], Uint32Array.from(starts));
			const wholeBatches: AttentionWindows = {
				offsets: offsets("batch offsets", [0, ...batches.map(([, end]) => end)]),
				largest: Math.max(...batches.map(([start, end]) => end - start)),
			};
			const everyRow: VoxelWindows = {
				...wholeBatches,
				rows: input(
					"rows",
					"u32",
					[count],
					Uint32Array.from({ length: count }, (_, row) => row),
				),
			};
			const finished = (name: string, windows: VoxelWindows) =>
				matmul(graph, { x: recordSparseAttention(graph, model.self[name], rows, windows), ...model.self[name].toOut });
			const columns = (tensor: ReturnType<typeof matmul>) => ({
				q: { tensor, column: 0 },
				k: { tensor, column: channels },
				v: { tensor, column: 2 * channels },
				heads,
				headSize,
			});
			const onCurve = recordOnCurve(graph, model.self.serial, {
				qkv: matmul(graph, { x: rows, ...model.self.serial.toQkv }),
				forward: input("forward", "i32", [runs.forward.length], runs.forward),
				backward: input("backward", "i32", [count], runs.backward),
				windows: {
					offsets: offsets("run offsets", runningSums(runs.lengths)),
					largest: Math.max(...runs.lengths),
				},
			});
			const normed = matmul(graph, { x: rows, ...model.self.full_rms.toQkv });
			rmsNorm(graph, { x: normed, gamma: model.gammas.query });
			rmsNorm(graph, { x: normed, gamma: model.gammas.key, column: channels });
			const fullRms = attention(graph, {
				...columns(normed),
				sequences: batches.length,
				queries: 0,
				keys: 0,
				windows: wholeBatches,
			});
			const crossed = batches.map(([start, end], batch) => {
				const queries = matmul(graph, {
					x: rows,
					xRows: { first: start, count: end - start, stride: 0, segments: 1 },
					...model.toQuery,
				});
				const size = contextTokens * contextChannels;
				const tokens = input(
					`context ${batch}`,
					dtype,
					[contextTokens, contextChannels],
					condition.data.slice(batch * size, (batch + 1) * size),
				);
				const keyValues = matmul(graph, { x: tokens, ...model.toKeyValue });
				const attended = attention(graph, {
					q: { tensor: queries },
					k: { tensor: keyValues },
					v: { tensor: keyValues, column: channels },
					heads,
					headSize,
					sequences: 1,
					queries: end - start,
					keys: contextTokens,
				});
				return matmul(graph, { x: attended, ...model.crossOut });
			});
			return {
				full: finished("full", everyRow),
				full_rms: matmul(graph, { x: fullRms, ...model.self.full_rms.toOut }),
				win0: finished("win0", voxelWindows(graph, coords, windowSize, 0)),
				win4: finished("win4", voxelWindows(graph, coords, windowSize, 4)),
				serial: onCurve,
				...Object.fromEntries(crossed.map((tensor, batch) => [`cross ${batch}`, tensor])),
			};
		},
	);
	const outputs = new Map<string, HostTensor>(values);
	const cross = new Float32Array(count * channels);
	batches.forEach(([start], batch) => {
		cross.set(values.get(`cross ${batch}`)?.data ?? [], start * channels);
		outputs.delete(`cross ${batch}`);
	});
	outputs.set("cross", { shape: [count, channels], data: cross });
	for (const shift of [0, 4]) addPartition(context, outputs, `win${shift}`, coords, shift);
	return outputs
		.set("serial.fwd", { shape: [runs.forward.length], data: runs.forward })
		.set("serial.bwd", { shape: [count], data: runs.backward })
		.set("serial.lens", { shape: [runs.lengths.length], data: runs.lengths });
}

interface CurveRequest {
	readonly qkv: ReturnType<typeof matmul>;
	readonly forward: ReturnType<typeof matmul>;
	readonly backward: ReturnType<typeof matmul>;
	readonly windows: AttentionWindows;
}

/** Attention inside overlapping runs: rows are copied there and back. */
function recordOnCurve(graph: Graph, layer: SparseSelfAttention, { qkv, forward, backward, windows }: CurveRequest) {
	const channels = qkv.shape[1] / 3;
	const along = gatherRows(graph, { x: qkv, indices: forward });
	const attended = attention(graph, {
		q: { tensor: along, column: 0 },
		k: { tensor: along, column: channels },
		v: { tensor: along, column: 2 * channels },
		heads: layer.heads,
		headSize: channels / layer.heads,
		sequences: windows.offsets.shape[0] - 1,
		queries: 0,
		keys: 0,
		windows,
	});
	return matmul(graph, { x: gatherRows(graph, { x: attended, indices: backward }), ...layer.toOut });
}

function runningSums(lengths: ArrayLike<number>): number[] {
	const sums = [0];
	for (let i = 0; i < lengths.length; i++) sums.push(sums[i] + lengths[i]);
	return sums;
}

function addPartition(context: ParityContext, outputs: Map<string, HostTensor>, name: string, coords: Int32Array, shift: number): void {
	const { offsets, rows } = windowPartition(coords, windowSize, shift);
	const lengths = Int32Array.from(offsets.subarray(1), (end, window) => end - offsets[window]);
	const forward = likeGolden(rows, lengths, context.expected(`${name}.fwd`));
	const backward = new Int32Array(forward.length);
	forward.forEach((row, position) => {
		backward[row] = position;
	});
	outputs.set(`${name}.fwd`, { shape: [forward.length], data: forward });
	outputs.set(`${name}.bwd`, { shape: [backward.length], data: backward });
	outputs.set(`${name}.lens`, { shape: [lengths.length], data: lengths });
	outputs.set(`${name}.batch`, {
		shape: [lengths.length],
		data: Int32Array.from(lengths, (_, window) => coords[rows[offsets[window]] * 4]),
	});
}

/** A block whose "pixels" are the voxels: the case gives every voxel's view features. */
async function runDecoderBlock(context: ParityContext): Promise<ParityOutputs> {
	const {
		channels,
		num_heads: heads,
		mlp_ratio: mlpRatio,
		window_size: size,
		shift_window: shift,
		mv_dim: viewChannels,
	} = context.config.args;
	const coords = coordinatesOf(await context.input("coords"));
	const x = await context.input("x");
	const normals = await context.input("mv_normal");
	const colors = await context.input("mv_color");
	const { dtype } = context;
	const count = coords.length / 4;
	/** Views `first` and `first + 2` of the normals, then of the colours, side by side. */
	const pair = (first: number) => {
		const data = new Float32Array(count * 4 * viewChannels);
		for (let row = 0; row < count; row++) {
			[normals, colors].forEach(({ data: source }, kind) => {
				[first, first + 2].forEach((view, position) => {
					const from = (row * 4 + view) * viewChannels;
					data.set(source.subarray(from, from + viewChannels), (row * 4 + 2 * kind + position) * viewChannels);
				});
			});
		}
		return data;
	};
	const values = await recordedRun(
		context,
		(weights) => declareSparseTransformerBlock(weights, { channels, heads, mlpRatio, viewChannels }, dtype),
		({ graph, input }, block) => {
			const pixels = {
				frontBack: input("front and back", dtype, [count, 4 * viewChannels], pair(0)),
				sides: input("sides", dtype, [count, 4 * viewChannels], pair(1)),
				positions: input(
					"positions",
					"i32",
					[count, 2],
					Int32Array.from({ length: 2 * count }, (_, i) => Math.floor(i / 2) + (i % 2) * count),
				),
			};
			const windows = voxelWindows(graph, coords, size, shift);
			return {
				y: graph.scope("act", () => recordSparseTransformerBlock(graph, block, { x: input("x", dtype, x.shape, x.data), windows, pixels })),
			};
		},
	);
	const rows = context.expected("rows").data;
	return new Map([...values].map(([name, value]) => [name, keptRows(value, rows)]));
}

async function runSlatBlock(context: ParityContext): Promise<ParityOutputs> {
	const { channels, ctx_channels: contextChannels, num_heads: heads, mlp_ratio: mlpRatio, qk_rms_norm: qkRmsNorm } = context.config.args;
	const x = await context.input("x");
	const time = await context.input("mod");
	const condition = await context.input("context");
	const { dtype } = context;
	const tokens = condition.shape[1];
	return recordedRun(
		context,
		(weights) => declareModulatedTransformerBlock(weights, { channels, contextChannels, heads, mlpRatio, qkRmsNorm }, dtype),
		({ graph, input }, block) => ({
			y: graph.scope("act", () => {
				const timeSilu = activate(graph, input("mod", "f32", time.shape, time.data), "silu");
				const features = reshape(input("context", dtype, condition.shape, condition.data), [tokens, contextChannels]);
				return recordModulatedTransformerBlock(graph, block, {
					x: input("x", dtype, x.shape, x.data),
					sequences: 1,
					tokens: x.shape[0],
					modulation: recordModulation(graph, block, timeSilu),
					context: { keyValues: recordContextKeyValues(graph, block, features), tokens },
				});
			}),
		}),
	);
}

const everything = (names: readonly string[]) => names.filter((name) => name !== "rows");

/** The golden cases of attention between voxels and of the transformer blocks. */
export const adapters: Adapters = {
	sparse_attention: { runs: "device", required: everything, run: runSparseAttention },
	decoder_block: { runs: "device", required: everything, run: runDecoderBlock },
	slat_block: { runs: "device", required: everything, run: runSlatBlock },
};

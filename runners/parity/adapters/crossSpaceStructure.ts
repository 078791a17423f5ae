import { reshape } from "../../../engine/gpu/tensor.ts";
import { patchify, pixelShuffle3d, unpatchify } from "../../../engine/kernels/dense/patchify.ts";
import {
	declareModulatedTransformerBlock,
	recordContextKeyValues,
	recordModulatedTransformerBlock,
	recordModulation,
} from "../../../engine/layers/modulatedTransformerBlock.ts";
import { declareTimestepEmbedder, recordTimestepEmbedder, timestepSinusoidWidth } from "../../../engine/layers/timestepEmbedder.ts";
import { timestepEmbedding } from "../../../engine/samplers/timestepEmbedding.ts";
import { gridPositionEmbedding } from "../../../weights/computedBuffers.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { permuted, recordedRun } from "../recordedRun.ts";

async function runDitBlock(context: ParityContext): Promise<ParityOutputs> {
	const sizes = context.config.constructor;
	const config = {
		channels: sizes.channels as number,
		contextChannels: sizes.ctx_channels as number,
		heads: sizes.num_heads as number,
		mlpRatio: sizes.mlp_ratio as number,
		qkRmsNorm: sizes.qk_rms_norm as boolean,
	};
	const { dtype } = context;
	const [x, condition, time, volume] = [
		await context.input("x"),
		await context.input("context"),
		await context.input("t"),
		await context.input("vol"),
	];
	const [sequences, tokens] = x.shape;
	const [, contextTokens] = condition.shape;
	const values = await recordedRun(
		context,
		(weights) => ({
			block: declareModulatedTransformerBlock(weights.at("blocks").at(0), config, dtype),
			embedder: declareTimestepEmbedder(weights.at("t_embedder"), config.channels, dtype),
		}),
		({ graph, input }, { block, embedder }) => {
			const sinusoids = input(
				"sinusoids",
				"f32",
				[time.data.length, timestepSinusoidWidth],
				timestepEmbedding([...time.data], timestepSinusoidWidth),
			);
			const timeSilu = graph.scope("t_embedder", () => recordTimestepEmbedder(graph, embedder, sinusoids));
			const output = graph.scope("blocks.0", () => {
				const keyValues = recordContextKeyValues(
					graph,
					block,
					input("context", dtype, [sequences * contextTokens, config.contextChannels], condition.data),
				);
				return recordModulatedTransformerBlock(graph, block, {
					x: input("x", dtype, [sequences * tokens, config.channels], x.data),
					sequences,
					tokens,
					modulation: recordModulation(graph, block, timeSilu),
					context: { keyValues, tokens: contextTokens },
				});
			});
			const channelsLast = permuted(volume, [0, 2, 3, 4, 1]);
			const vol = input("vol", "f32", channelsLast.shape, channelsLast.data);
			const patches = patchify(graph, vol, 2);
			return {
				output: reshape(output, x.shape),
				patchify2: patches,
				unpatchify2: unpatchify(graph, patches, 2),
				pixel_shuffle_3d: pixelShuffle3d(graph, vol),
			};
		},
	);
	const outputs = new Map<string, HostTensor>(values);
	for (const name of ["patchify2", "unpatchify2", "pixel_shuffle_3d"]) {
		const value = values.get(name);
		if (value !== undefined) outputs.set(name, permuted(value, [0, 4, 1, 2, 3]));
	}
	for (const name of ["norm1", "norm2", "norm3", "self_attn", "cross_attn", "mlp"]) {
		const value = values.get(`blocks.0.${name}`);
		if (value !== undefined) outputs.set(`blocks.0.${name}`, { shape: x.shape, data: value.data });
	}
	const side = 16;
	outputs.set("pos_emb", { shape: [side ** 3, config.channels], data: gridPositionEmbedding(side, config.channels) });
	return outputs;
}

/** The golden case of the structure half's layers. */
export const adapters: Adapters = {
	dit_block: {
		runs: "device",
		required: () => ["output", "t_embedder", "pos_emb", "patchify2", "unpatchify2", "pixel_shuffle_3d"],
		run: runDitBlock,
	},
};

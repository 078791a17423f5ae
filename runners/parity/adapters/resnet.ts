import { activate } from "../../../engine/kernels/dense/elementwise.ts";
import { matmul } from "../../../engine/kernels/dense/matmul.ts";
import {
	declareResampler,
	declareResnetBlock,
	recordDownsampler,
	recordResnetBlock,
	recordUpsampler,
} from "../../../engine/layers/resnetBlock.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { permuted, recordedRun } from "../recordedRun.ts";

async function runResnetBlock(context: ParityContext): Promise<ParityOutputs> {
	const { dtype } = context;
	const sizes = context.config["resnets.0"];
	const config = {
		inChannels: sizes.in_channels as number,
		outChannels: sizes.out_channels as number,
		groups: sizes.groups as number,
		eps: sizes.eps as number,
		timeChannels: sizes.temb_channels as number,
	};
	const hidden = permuted(await context.input("hidden_states"), [0, 2, 3, 1]);
	const embedding = await context.input("temb");
	const values = await recordedRun(
		context,
		(weights) => ({
			block: declareResnetBlock(weights.at("resnets.0"), config, dtype),
			down: declareResampler(weights.at("downsamplers.0"), config.outChannels, dtype),
			up: declareResampler(weights.at("upsamplers.0"), config.outChannels, dtype),
		}),
		({ graph, input }, { block, down, up }) => {
			const x = input("x", dtype, hidden.shape, hidden.data);
			const activated = activate(graph, input("temb", "f32", embedding.shape, embedding.data), "silu");
			const y = graph.scope("resnets.0", () => {
				if (block.timeProjection === undefined) throw new Error("the block takes no time embedding");
				const projected = matmul(graph, { x: activated, ...block.timeProjection, outputDtype: "f32", label: "time_emb_proj" });
				return recordResnetBlock(graph, block, x, { tensor: graph.tap("time_emb_proj", projected), images: 1 });
			});
			return {
				"resnets.0": y,
				"downsamplers.0": graph.scope("downsamplers.0", () => recordDownsampler(graph, down, y, "around")),
				"upsamplers.0": graph.scope("upsamplers.0", () => recordUpsampler(graph, up, y)),
			};
		},
	);
	const outputs = new Map<string, HostTensor>();
	for (const [name, value] of values) outputs.set(name, value.shape.length === 4 ? permuted(value, [0, 3, 1, 2]) : value);
	return outputs;
}

/** Residual blocks and resamplers of the UNet and the autoencoder. */
export const adapters: Adapters = {
	resnet_block: { runs: "device", required: () => ["resnets.0", "downsamplers.0", "upsamplers.0"], run: runResnetBlock },
};

import { synchumanViews } from "../../../engine/layers/multiviewLayout.ts";
import {
	declareMultiviewTransformer,
	recordMultiviewTransformer,
	recordPromptKeysValues,
} from "../../../engine/layers/multiviewTransformerBlock.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { imagesFromOfficial, imagesToOfficial, rowsFromOfficial, rowsToOfficial } from "../officialBatch.ts";
import { recordedRun } from "../recordedRun.ts";

const { halves, views } = synchumanViews;

async function runMultiviewTransformer(context: ParityContext): Promise<ParityOutputs> {
	const sizes = context.config.constructor;
	const config = {
		channels: sizes.in_channels as number,
		heads: sizes.num_attention_heads as number,
		crossAttentionChannels: sizes.cross_attention_dim as number,
		normGroups: sizes.norm_num_groups as number,
		layers: sizes.num_layers as number,
	};
	const x = imagesFromOfficial(await context.input("hidden_states"), halves);
	// In the golden every image has a text of its own, in both halves.
	const prompts = rowsFromOfficial(await context.input("encoder_hidden_states"), halves);
	const [, tokens, width] = prompts.shape;
	const values = await recordedRun(
		context,
		(weights) => declareMultiviewTransformer(weights, config, context.dtype),
		({ graph, input }, transformer) => {
			const prompt = recordPromptKeysValues(
				graph,
				transformer,
				input("prompt", context.dtype, [views * 2 * halves, tokens, width], prompts.data),
			);
			const hidden = input("x", context.dtype, x.shape, x.data);
			return { output: recordMultiviewTransformer(graph, transformer, { x: hidden, layout: synchumanViews, prompt }) };
		},
	);
	const outputs = new Map<string, HostTensor>();
	for (const [name, value] of values) {
		outputs.set(name, value.shape.length === 4 ? imagesToOfficial(value, halves) : rowsToOfficial(value, halves, imagesIn(value, x)));
	}
	return outputs;
}

/** Images that tokens [..., c] belong to: all, or those of the body views. */
function imagesIn(value: HostTensor, x: HostTensor): number {
	const [, height, width, channels] = x.shape;
	return value.data.length / (height * width * channels);
}

/** The golden cases of the 2D-3D network's layers. */
export const adapters: Adapters = {
	mv_transformer_block: { runs: "device", required: () => ["output"], run: runMultiviewTransformer },
};

import { declareImagesFromStructure, recordImagesFromStructure } from "../../../engine/layers/imagesFromStructure.ts";
import { faceLastViews, type MultiviewLayout, synchumanViews } from "../../../engine/layers/multiviewLayout.ts";
import {
	declareMultiviewTransformer,
	recordMultiviewTransformer,
	recordPromptKeysValues,
} from "../../../engine/layers/multiviewTransformerBlock.ts";
import { declareStructureFromImages, recordStructureFromImages } from "../../../engine/layers/structureFromImages.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { imagesFromOfficial, imagesToOfficial, rowsFromOfficial, rowsToOfficial } from "../officialBatch.ts";
import { permuted, recordedRun } from "../recordedRun.ts";

const { halves } = synchumanViews;

async function runMultiviewTransformer(context: ParityContext, layout: MultiviewLayout): Promise<ParityOutputs> {
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
	const values = await recordedRun(
		context,
		(weights) => declareMultiviewTransformer(weights, config, context.dtype),
		({ graph, input }, transformer) => {
			const prompt = recordPromptKeysValues(graph, transformer, input("prompt", context.dtype, prompts.shape, prompts.data));
			const hidden = input("x", context.dtype, x.shape, x.data);
			return { output: recordMultiviewTransformer(graph, transformer, { x: hidden, layout, prompt }) };
		},
	);
	const outputs = new Map<string, HostTensor>();
	for (const [name, value] of values) {
		const { data } = value.shape.length === 4 ? imagesToOfficial(value, halves) : rowsToOfficial(value, halves, imagesIn(value, x));
		outputs.set(name, { shape: context.meta.outputs[name].shape, data });
	}
	return outputs;
}

/** Images that tokens [..., c] belong to: all, or those of the body views. */
function imagesIn(value: HostTensor, x: HostTensor): number {
	const [, height, width, channels] = x.shape;
	return value.data.length / (height * width * channels);
}

/** Either dual cross attention; `of` says which. */
async function runDualCrossAttention(context: ParityContext, of: "structure" | "images"): Promise<ParityOutputs> {
	const sizes = context.config.constructor;
	const config = {
		imageChannels: sizes.query_dim_MV as number,
		structureChannels: sizes.query_dim_Structure as number,
		heads: sizes.heads as number,
		headSize: sizes.dim_head as number,
	};
	const official = await context.input("MV");
	const images = imagesFromOfficial(official, halves);
	const structure = await context.input("structure");
	const [, tokens, width] = structure.shape;
	const resolution = Math.round(Math.cbrt(tokens));
	const values = await recordedRun(
		context,
		(weights) => ({
			structure: of === "structure" ? declareStructureFromImages(weights, config, context.dtype) : undefined,
			images: of === "images" ? declareImagesFromStructure(weights, config, context.dtype) : undefined,
		}),
		({ graph, input }, blocks) => {
			const inputs = {
				images: input("MV", context.dtype, images.shape, images.data),
				structure: input("structure", context.dtype, [halves * tokens, width], structure.data),
				layout: synchumanViews,
				resolution,
			};
			if (blocks.structure !== undefined) return { output: recordStructureFromImages(graph, blocks.structure, inputs) };
			if (blocks.images !== undefined) return { output: recordImagesFromStructure(graph, blocks.images, inputs) };
			throw new Error("neither");
		},
	);
	const outputs = new Map<string, HostTensor>();
	for (const [name, value] of values) {
		const whole = context.meta.outputs[name]?.shape as readonly number[] | undefined;
		if (name === "output")
			outputs.set(name, of === "images" ? imagesToOfficial(value, halves) : { shape: structure.shape, data: value.data });
		else if (name === "voxeldownsample") outputs.set(name, permuted(value, [0, 4, 1, 2, 3]));
		// imagedownsample is computed for the sides' normals alone: nothing looks at the others.
		else if (name === "imagedownsample") continue;
		else if (whole !== undefined) outputs.set(name, { shape: whole, data: value.data });
		else for (const [chunk, part] of chunksOf(name, value, context)) outputs.set(chunk, part);
	}
	return outputs;
}

/** An attention's output in the pieces that upstream computes it in. */
function chunksOf(name: string, value: HostTensor, context: ParityContext): [string, HostTensor][] {
	const names = context.outputNames.filter((output) => output.startsWith(`${name}.chunk`));
	const size = value.data.length / names.length;
	return names.map((output, i) => [
		output,
		{ shape: context.meta.outputs[output].shape, data: value.data.slice(i * size, (i + 1) * size) },
	]);
}

/** The golden cases of the 2D-3D network's layers. */
export const adapters: Adapters = {
	mv_transformer_block: { runs: "device", required: () => ["output"], run: (context) => runMultiviewTransformer(context, synchumanViews) },
	pshuman_mv_transformer_block: {
		runs: "device",
		required: () => ["output"],
		run: (context) => runMultiviewTransformer(context, faceLastViews(context.config.constructor.num_views)),
	},
	dual_cross_attention_ss: { runs: "device", required: () => ["output"], run: (context) => runDualCrossAttention(context, "structure") },
	dual_cross_attention_mv: { runs: "device", required: () => ["output"], run: (context) => runDualCrossAttention(context, "images") },
};

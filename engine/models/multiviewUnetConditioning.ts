// upstream: SyncHuman/models/OneStage/SyncHuman_2D3DCrossSpaceDiffusion.py, the UNet half's embeddings (IGL-HKUST/SyncHuman 1b540b7), on diffusers 0.29.1

import { createTensor, type Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { elementwise } from "../kernels/dense/elementwise.ts";
import { gatherRows } from "../kernels/dense/gatherRows.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { domains, imagesOf, type MultiviewLayout } from "../layers/multiviewLayout.ts";
import { type PromptKeysValues, promptKeysValuesShapes, recordPromptKeysValues } from "../layers/multiviewTransformerBlock.ts";
import type { EmbeddingLayers, MultiviewUnet } from "./multiviewUnet.ts";

/** What does not depend on the latents: resident tensors, filled once for a run by `recordUnetConditioning`. */
export interface UnetConditioning {
	/** Keys and values of the prompt for every transformer, in the order of `transformerIndex`. */
	readonly prompts: readonly PromptKeysValues[];
	/** f32 [steps * images, timeWidth]: what every residual block adds in every step, image by image. */
	readonly times: Tensor;
	readonly steps: number;
	readonly layout: MultiviewLayout;
}

/** The tensors of a conditioning, without memory. */
export function createUnetConditioning(
	unet: MultiviewUnet,
	layout: MultiviewLayout,
	steps: number,
	promptTokens: number,
): UnetConditioning {
	const prompt = [layout.views * domains, promptTokens, unet.config.crossAttentionChannels];
	const prompts = unet.transformers.map((transformer, i) =>
		promptKeysValuesShapes(transformer, prompt).map((shape) => createTensor(`transformer ${i} prompt`, unet.dtype, shape, "resident")),
	);
	return {
		prompts,
		times: createTensor("time projections", "f32", [steps * imagesOf(layout), unet.timeWidth], "resident"),
		steps,
		layout,
	};
}

/** What a conditioning is made from. */
export interface UnetConditioningInputs {
	/** f32 [images, classLabelChannels] in the order of the layout; zeros in the half without condition. */
	readonly classLabels: Tensor;
	/** [views * domains, tokens, crossAttentionChannels] in the network's dtype; both halves have the same texts. */
	readonly prompt: Tensor;
	/** f32 [steps, timeSinusoidChannels]: sinusoids of the timesteps. */
	readonly sinusoids: Tensor;
}

/** Fills a conditioning. */
export function recordUnetConditioning(graph: Graph, unet: MultiviewUnet, into: UnetConditioning, inputs: UnetConditioningInputs): void {
	unet.transformers.forEach((transformer, i) => {
		graph.scope(`transformer ${i}`, () => recordPromptKeysValues(graph, transformer, inputs.prompt, into.prompts[i]));
	});
	const time = recordEmbedding(graph, "time_embedding", unet.timeEmbedding, inputs.sinusoids);
	const label = recordEmbedding(graph, "class_embedding", unet.classEmbedding, inputs.classLabels);
	const images = imagesOf(into.layout);
	const rows = into.steps * images;
	const repeat = graph.constant("images of steps", "i32", [rows], () => Int32Array.from({ length: rows }, (_, row) => row % images));
	const embedding = elementwise(graph, {
		x: gatherRows(graph, { x: label, indices: repeat }),
		addend: { tensor: time, rows: images },
		activation: "silu",
		label: "emb",
	});
	for (const block of [...unet.down, unet.middle, ...unet.up]) {
		block.layers.forEach(({ resnet, timeColumn }, j) => {
			const { timeProjection } = resnet;
			if (timeProjection === undefined) throw new Error(`${block.name}: residual block ${j} takes no time embedding`);
			matmul(graph, {
				x: embedding,
				...timeProjection,
				into: { tensor: into.times, column: timeColumn },
				label: `${block.name}.${j}.time_emb_proj`,
			});
		});
	}
}

/** Linear, SiLU, Linear: f32 [rows, timeChannels]. */
function recordEmbedding(graph: Graph, name: string, [first, second]: EmbeddingLayers, x: Tensor): Tensor {
	return graph.scope(name, () => {
		const hidden = matmul(graph, { x, ...first, activation: "silu", label: "linear_1" });
		return graph.tap("", matmul(graph, { x: hidden, ...second, label: "linear_2" }));
	});
}

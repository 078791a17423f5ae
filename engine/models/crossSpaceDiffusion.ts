// upstream: SyncHuman/models/OneStage/SyncHuman_2D3DCrossSpaceDiffusion.py (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import type { DType, Tensor } from "../gpu/tensor.ts";
import { elementCount } from "../gpu/tensor.ts";
import type { Graph, Scalar } from "../graph/graph.ts";
import { flowEulerStep } from "../kernels/dense/flowEulerStep.ts";
import { gatherRows } from "../kernels/dense/gatherRows.ts";
import { declareImagesFromStructure, type ImagesFromStructure, recordImagesFromStructure } from "../layers/imagesFromStructure.ts";
import { imagesOf, synchumanViews } from "../layers/multiviewLayout.ts";
import { declareStructureFromImages, recordStructureFromImages, type StructureFromImages } from "../layers/structureFromImages.ts";
import type { CrossSpaceConfig } from "./crossSpaceConfig.ts";
import type { CrossSpaceState } from "./crossSpaceState.ts";
import { recordLatentsOfHalves } from "./multiviewState.ts";
import { declareMultiviewUnet, type MultiviewUnet, recordMultiviewUnet } from "./multiviewUnet.ts";
import {
	declareStructureTransformer,
	recordStructureBlocks,
	recordStructureInput,
	recordStructureOutput,
	type StructureTransformer,
} from "./structureTransformer.ts";

/** Two networks, one over the views and one over the voxels, that look at each other four times. */
export interface CrossSpaceDiffusion {
	readonly config: CrossSpaceConfig;
	readonly dtype: DType;
	readonly unet: MultiviewUnet;
	readonly structure: StructureTransformer;
	/** On the way down, on the way up. */
	readonly structureFromImages: readonly StructureFromImages[];
	/** Before the middle, behind it. */
	readonly imagesFromStructure: readonly ImagesFromStructure[];
}

/** Declares the whole checkpoint. */
export function declareCrossSpaceDiffusion(weights: Weights, config: CrossSpaceConfig, dtype: DType): CrossSpaceDiffusion {
	const { structure, images } = config.synchronisation;
	return {
		config,
		dtype,
		unet: declareMultiviewUnet(weights, config.unet, dtype),
		structure: declareStructureTransformer(weights, config.structure, dtype),
		structureFromImages: structure.map((sizes, i) => declareStructureFromImages(weights.at("dual_CrossAttblocks_SS").at(i), sizes, dtype)),
		imagesFromStructure: images.map((sizes, i) => declareImagesFromStructure(weights.at("dual_CrossAttblocks_MV").at(i), sizes, dtype)),
	};
}

/** Sides of the feature maps at which structure reads images and images read structure: numbers in upstream's code. */
const [structureSide, imagesSide] = [24, 12];

/** What a recorded denoising step shows to its caller. */
export interface CrossSpaceStep {
	/** i32 [images] and [blocks], to be written before every run: rows of the conditioning that belong to the step (`stepRows`). */
	readonly imageRows: Tensor;
	readonly blockRows: Tensor;
	/** f32 [images, size, size, latentChannels] in the order of the layout. */
	readonly velocity: Tensor;
	/** f32 [halves * resolution^3, channels]. */
	readonly structureVelocity: Tensor;
}

/**
 * Records one denoising step: the network on the state's latents, guidance u + guidance (c - u), and Euler's step on both latents, in place.
 * `dt` is t - t'. Replayed for every step with other `imageRows`, `blockRows` and `dt`.
 */
export function recordCrossSpaceStep(
	graph: Graph,
	model: CrossSpaceDiffusion,
	state: CrossSpaceState,
	step: { readonly dt: number | Scalar; readonly guidance: number | Scalar },
): CrossSpaceStep {
	const { latents, structureLatent } = state;
	const imageRows = graph.input("rows of the images' times", "i32", [imagesOf(synchumanViews)]);
	const blockRows = graph.input("rows of the blocks' modulations", "i32", [model.config.structure.blocks]);
	const { velocity, structureVelocity } = recordForward(graph, model, state, imageRows, blockRows);
	const guided = { form: "interpolated", guidance: step.guidance, dt: step.dt } as const;
	for (const [x, v] of [
		[latents, velocity],
		[structureLatent, structureVelocity],
	]) {
		// The conditional half comes second.
		flowEulerStep(graph, { x, unconditional: { tensor: v }, conditional: { tensor: v, start: elementCount(x.shape) }, ...guided });
	}
	return { imageRows, blockRows, velocity, structureVelocity };
}

/** Both networks on both halves of guidance. */
function recordForward(
	graph: Graph,
	model: CrossSpaceDiffusion,
	state: CrossSpaceState,
	imageRows: Tensor,
	blockRows: Tensor,
): Pick<CrossSpaceStep, "velocity" | "structureVelocity"> {
	const { unet, structure, config } = model;
	const layout = synchumanViews;
	const { resolution } = config.structure;
	recordLatentsOfHalves(graph, state);
	const times = gatherRows(graph, { x: state.unet.times, indices: imageRows, label: "times" });
	const modulation = gatherRows(graph, { x: state.structure.modulations, indices: blockRows, label: "modulations" });

	let tokens = recordStructureInput(graph, structure, state.structureLatent, layout.halves);
	const advance = (first: number, end: number) => {
		const step = { modulation, conditioning: state.structure, halves: layout.halves };
		tokens = recordStructureBlocks(graph, structure, tokens, { first, end }, step);
	};
	const toStructure = (index: number, images: Tensor) => {
		tokens = graph.scope(`dual_CrossAttblocks_SS.${index}`, () =>
			recordStructureFromImages(graph, model.structureFromImages[index], { images, structure: tokens, layout, resolution }),
		);
		return images;
	};
	const toImages = (index: number, images: Tensor) =>
		graph.scope(`dual_CrossAttblocks_MV.${index}`, () =>
			recordImagesFromStructure(graph, model.imagesFromStructure[index], { images, structure: tokens, layout, resolution }),
		);
	const { levels } = config.unet;
	const [blocksBefore, blocksBetween] = config.blockSplits;
	advance(0, blocksBefore);
	const velocity = recordMultiviewUnet(graph, unet, {
		sample: state.sample,
		layout,
		times,
		prompts: state.unet.prompts,
		afterDown(index, x) {
			if (!levels[index].attention.down) return x;
			if (x.shape[1] === structureSide) return toStructure(0, x);
			return x.shape[1] === imagesSide ? toImages(0, x) : x;
		},
		beforeUp(index, x) {
			if (index === 0) advance(blocksBefore, blocksBetween);
			if (levels[levels.length - 1 - index].attention.up) return x.shape[1] === structureSide ? toStructure(1, x) : x;
			return x.shape[1] === imagesSide ? toImages(1, x) : x;
		},
	});
	advance(blocksBetween, config.structure.blocks);
	return { velocity, structureVelocity: recordStructureOutput(graph, structure, tokens) };
}

import { backgroundInput, backgroundNetworkSize, maskFor, saliencyMask, straightCutOut } from "../image/backgroundRemoval.ts";
import type { Image } from "../image/image.ts";
import { declareU2net, recordU2net, sigmoid } from "../models/u2net.ts";
import type { U2netWeights } from "../models/u2netWeights.ts";
import { type PartContext, planStage } from "./part.ts";
import { singleGraphPart } from "./singleGraphPart.ts";

/**
 * Pictures with their backgrounds removed as rembg does it, RGBA with straight alpha. Always in f32. Rejects with code "memory" where
 * the network does not fit, "device" where its output is not finite.
 */
export async function removeBackgrounds(
	context: PartContext,
	{ tensors, config }: U2netWeights,
	images: readonly Image[],
): Promise<readonly Image[]> {
	const side = backgroundNetworkSize;
	const network = await context.networks.open({
		checkpoint: { name: tensors.name, tensors: async () => tensors },
		dtype: "f32",
		component: "u2net",
		declare: (weights) => declareU2net(weights, config, "f32"),
	});
	const part = singleGraphPart(context, "background", network, (graph, model) => {
		const input = graph.input("pixels", "f32", [1, side, side, 3]);
		return { input, output: recordU2net(graph, model, input)[0] };
	});
	await planStage(context, "background", [part.part]);
	const logits = await part.run(images.map((image) => backgroundInput(image).pixels.data));
	return images.map((image, i) => straightCutOut(image, maskFor(image, saliencyMask(sigmoid(logits[i]), side, side))));
}

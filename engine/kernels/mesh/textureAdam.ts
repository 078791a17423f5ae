import { describe, elementCount, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph, type Scalar } from "../../graph/graph.ts";
import type { TexturePyramid } from "./texturePyramid.ts";

/** What `textureAdam` needs. */
export interface TextureAdamRequest {
	/** Its level 0 holds the texture before the step. */
	readonly pyramid: TexturePyramid;
	/** f32 [height, width, 3]: derivative of the loss without its total variation. */
	readonly gradient: Tensor;
	/** f32 [height, width, 3] state, zeros before the first step; updated. */
	readonly firstMoment: Tensor;
	readonly secondMoment: Tensor;
	/** f32 [height, width, 3] the texture after the step. */
	readonly image: Tensor;
	/** Factor of mean |difference of rows| + mean |difference of columns|. */
	readonly totalVariation: number;
	readonly beta1: number;
	readonly beta2: number;
	readonly epsilon: number;
	/** learning rate / (1 - beta1^step), steps counted from 1. */
	readonly stepSize: number | Scalar;
	/** sqrt(1 - beta2^step). */
	readonly rootCorrection: number | Scalar;
}

/** One step of Adam on a texture whose loss has a total-variation term. torch: `optim.Adam` (no weight decay). */
export function textureAdam(graph: Graph, request: TextureAdamRequest): void {
	const { pyramid, gradient, firstMoment, secondMoment, image, totalVariation, beta1, beta2, epsilon, stepSize, rootCorrection } = request;
	const [{ width, height }] = pyramid.levels;
	for (const [name, tensor] of Object.entries({ gradient, firstMoment, secondMoment, image })) {
		if (tensor.shape.join() !== `${height},${width},3`)
			throw new Error(`textureAdam: ${name} must be f32[${height},${width},3], got ${describe(tensor)}`);
	}
	const count = elementCount(image.shape);
	graph.dispatch({
		shader: "mesh/textureAdam",
		tensors: { gradient, pyramid: pyramid.values, firstMoment, secondMoment, image },
		params: {
			count,
			width,
			rowWeight: height > 1 ? Math.fround(totalVariation) / ((height - 1) * width * 3) : 0,
			columnWeight: width > 1 ? Math.fround(totalVariation) / (height * (width - 1) * 3) : 0,
			beta1,
			rest1: 1 - beta1,
			beta2,
			rest2: 1 - beta2,
			epsilon,
			stepSize,
			rootCorrection,
			zero: 0,
		},
		workgroups: foldedWorkgroups(Math.ceil(count / 64)),
	});
}

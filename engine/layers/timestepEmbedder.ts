// upstream: TimestepEmbedder of SyncHuman/models/SecondStage/structured_latent_flow.py and of the structure network (IGL-HKUST/SyncHuman 1b540b7)

import type { Weights } from "../../weights/weights.ts";
import type { DType, Tensor } from "../gpu/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { matmul } from "../kernels/dense/matmul.ts";
import { declareLinear, type Linear } from "./linear.ts";

/** Width of the sinusoid that TRELLIS' embedders take. */
export const timestepSinusoidWidth = 256;

/** Linear, SiLU, Linear over the sinusoid of the timestep. */
export interface TimestepEmbedder {
	readonly first: Linear;
	readonly second: Linear;
}

/** Declares `mlp.0` and `mlp.2` under `weights` (`t_embedder`). */
export function declareTimestepEmbedder(weights: Weights, channels: number, dtype: DType): TimestepEmbedder {
	const mlp = weights.at("mlp");
	return {
		first: declareLinear(mlp.at(0), channels, timestepSinusoidWidth, dtype),
		second: declareLinear(mlp.at(2), channels, channels, dtype),
	};
}

/**
 * SiLU of the time embedding, f32 [steps, channels], from sinusoids f32 [steps, 256]: every layer that reads the embedding takes its SiLU.
 * Taps the embedding itself.
 */
export function recordTimestepEmbedder(graph: Graph, embedder: TimestepEmbedder, sinusoids: Tensor): Tensor {
	const hidden = matmul(graph, { x: sinusoids, ...embedder.first, activation: "silu", outputDtype: "f32", label: "mlp.0" });
	if (graph.isTapped("")) graph.tap("", matmul(graph, { x: hidden, ...embedder.second, outputDtype: "f32", label: "mlp.2 alone" }));
	return matmul(graph, { x: hidden, ...embedder.second, activation: "silu", outputDtype: "f32", label: "mlp.2" });
}

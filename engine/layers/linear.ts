import type { Weights } from "../../weights/weights.ts";
import { type DType, reshape, type Tensor } from "../gpu/tensor.ts";

/** Weight and bias of a linear layer or convolution, in the shape `matmul` and `convolution` take. */
export interface Linear {
	/** [columns, channels] or [columns, ...kernel, channels]. */
	readonly weight: Tensor;
	/** f32 [columns]. */
	readonly bias: Tensor | undefined;
}

/** Scale and offset of a normalisation layer: f32 [channels]. */
export interface Affine {
	readonly weight: Tensor;
	readonly bias: Tensor;
}

/** torch nn.Linear: `weight` [columns, channels] and, unless told otherwise, `bias` [columns]. */
export function declareLinear(
	weights: Weights,
	columns: number,
	channels: number,
	dtype: DType,
	options: { readonly bias?: boolean } = {},
): Linear {
	return {
		weight: weights.tensor("weight", [columns, channels], { dtype }),
		bias: options.bias === false ? undefined : weights.tensor("bias", [columns], { dtype: "f32" }),
	};
}

/** Several nn.Linear of the same input side by side as one [sum of columns, channels] (q, k, v), stored under `names`. */
export function declareStackedLinear(
	weights: Weights,
	names: readonly string[],
	columns: number,
	channels: number,
	dtype: DType,
	options: { readonly bias?: boolean } = {},
): Linear {
	return {
		weight: weights.stacked(
			names.map((name) => `${name}.weight`),
			[columns, channels],
			{ dtype },
		),
		bias:
			options.bias === false
				? undefined
				: weights.stacked(
						names.map((name) => `${name}.bias`),
						[columns],
						{ dtype: "f32" },
					),
	};
}

/** A linear layer whose first half of columns is the value and second half the gate (GEGLU), interleaved for `matmul`'s `gated`. */
export function declareGatedLinear(weights: Weights, columns: number, channels: number, dtype: DType): Linear {
	const half = columns / 2;
	return {
		weight: reshape(weights.tensor("weight", [columns, channels], { dtype, view: [2, half, channels], permute: [1, 0, 2] }), [
			columns,
			channels,
		]),
		bias: reshape(weights.tensor("bias", [columns], { dtype: "f32", view: [2, half], permute: [1, 0] }), [columns]),
	};
}

/** torch nn.Conv2d / nn.Conv3d: stored [columns, channels, ...kernel], held [columns, ...kernel, channels]. */
export function declareConvolution(
	weights: Weights,
	columns: number,
	channels: number,
	kernel: readonly number[],
	dtype: DType,
	options: { readonly bias?: boolean } = {},
): Linear {
	const permute = [0, ...kernel.map((_, axis) => axis + 2), 1];
	return {
		weight: weights.tensor("weight", [columns, channels, ...kernel], { dtype, permute }),
		bias: options.bias === false ? undefined : weights.tensor("bias", [columns], { dtype: "f32" }),
	};
}

/** Scale and offset of nn.LayerNorm and nn.GroupNorm. */
export function declareAffine(weights: Weights, channels: number): Affine {
	return { weight: weights.tensor("weight", [channels], { dtype: "f32" }), bias: weights.tensor("bias", [channels], { dtype: "f32" }) };
}

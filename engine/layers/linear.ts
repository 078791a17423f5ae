import type { WeightLayout } from "../../weights/source.ts";
import type { Weights } from "../../weights/weights.ts";
import { blockRows, blockWidth, type DType, reshape, type Tensor } from "../gpu/tensor.ts";

/** Weight and bias of a linear layer or convolution, in the shape `matmul` and `convolution` take. */
export interface Linear {
	/** [columns, channels] or [columns, ...kernel, channels]; matrices, of whole blocks, lie in blocks. */
	readonly weight: Tensor;
	/** f32 [columns]. */
	readonly bias: Tensor | undefined;
}

/** Scale and offset of a normalisation layer: f32 [channels]. */
export interface Affine {
	readonly weight: Tensor;
	readonly bias: Tensor;
}

/**
 * A matrix [columns, channels] that `declare` declares with the layout it is given: in blocks where columns and channels are whole ones, so
 * that products read whole cache lines. `gated`: rows are stored as [2, columns / 2] and held in pairs.
 */
function inBlocks(columns: number, channels: number, declare: (layout: Omit<WeightLayout, "dtype">) => Tensor, gated = false): Tensor {
	const whole = columns % blockRows === 0 && channels % blockWidth === 0;
	// Rows of a block are in the order 0 4 1 5 2 6 3 7 (shaders/dense/blocks.wgsl).
	const blocks = [channels / blockWidth, blockWidth];
	const [rowsOnly, rowsInBlocks] = gated
		? [
				{ view: [2, columns / 2, channels], permute: [1, 0, 2] },
				{ view: [2, columns / blockRows, 2, 2, ...blocks], permute: [1, 4, 3, 0, 2, 5] },
			]
		: [{}, { view: [columns / blockRows, 2, 4, ...blocks], permute: [0, 3, 2, 1, 4] }];
	const tensor = reshape(declare(whole ? rowsInBlocks : rowsOnly), [columns, channels]);
	return whole ? { ...tensor, inBlocks: true } : tensor;
}

/** torch nn.Linear: `weight` [columns, channels] and, unless told otherwise, `bias` [columns]. `rows`: the weight row by row, for other readers. */
export function declareLinear(
	weights: Weights,
	columns: number,
	channels: number,
	dtype: DType,
	options: { readonly bias?: boolean; readonly rows?: boolean } = {},
): Linear {
	const declare = (layout: Omit<WeightLayout, "dtype">) => weights.tensor("weight", [columns, channels], { dtype, ...layout });
	return {
		weight: options.rows ? declare({}) : inBlocks(columns, channels, declare),
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
		weight: inBlocks(names.length * columns, channels, (layout) =>
			weights.stacked(
				names.map((name) => `${name}.weight`),
				[columns, channels],
				{ dtype, ...layout },
			),
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
	return {
		weight: inBlocks(columns, channels, (layout) => weights.tensor("weight", [columns, channels], { dtype, ...layout }), true),
		bias: reshape(weights.tensor("bias", [columns], { dtype: "f32", view: [2, columns / 2], permute: [1, 0] }), [columns]),
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
	const stored = [columns, channels, ...kernel];
	const permute = [0, ...kernel.map((_, axis) => axis + 2), 1];
	const declare = (layout: Omit<WeightLayout, "dtype">) => weights.tensor("weight", stored, { dtype, ...layout });
	const matrix = kernel.every((extent) => extent === 1);
	return {
		weight: matrix ? reshape(inBlocks(columns, channels, declare), [columns, ...kernel, channels]) : declare({ permute }),
		bias: options.bias === false ? undefined : weights.tensor("bias", [columns], { dtype: "f32" }),
	};
}

/** Scale and offset of nn.LayerNorm and nn.GroupNorm. */
export function declareAffine(weights: Weights, channels: number): Affine {
	return { weight: weights.tensor("weight", [channels], { dtype: "f32" }), bias: weights.tensor("bias", [channels], { dtype: "f32" }) };
}

import type { DType, Tensor } from "../../gpu/tensor.ts";
import type { RowSegments } from "./rowSegments.ts";

/** Elementwise functions that kernels can apply before storing. */
export type Activation = "none" | "silu" | "gelu" | "geluTanh" | "relu";

/** Number of each activation in the shaders. */
export const activationCode: Readonly<Record<Activation, number>> = { none: 0, silu: 1, gelu: 2, geluTanh: 3, relu: 4 };

/** A small f32 matrix [groups, width] whose row g applies to `rows` consecutive rows of the output, starting at column `column`. */
export interface PerGroup {
	readonly tensor: Tensor;
	/** Output rows that share one row of the tensor. */
	readonly rows: number;
	/** First column used; default 0. */
	readonly column?: number;
}

/** Which rows of x each output row of a convolution reads: i32 [rowsOut, taps], -1 for none, the same for every image. */
export interface Neighbours {
	readonly table: Tensor;
	/** Rows of x that one image has. */
	readonly rowsIn: number;
}

/** What happens to the sums before they are stored, in this order: + bias, + rowBias, activation, * gate, + residual. */
export interface Epilogue {
	/** f32 [columns] (interleaved like the weight where `gated`). */
	readonly bias?: Tensor | undefined;
	readonly rowBias?: PerGroup | undefined;
	readonly activation?: Activation | undefined;
	/** GEGLU and the like: weight rows in pairs (value, gate), half as many output columns, value * activation(gate). */
	readonly gated?: boolean | undefined;
	readonly gate?: PerGroup | undefined;
	/** [rows, output columns], f32 or f16. */
	readonly residual?: Tensor | undefined;
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
	/**
	 * Writes into an existing tensor instead of a new one: into columns `column ..` (concatenation in place), into some rows only, or
	 * adding to what is there (`accumulate`: a residual stream updated in place).
	 */
	readonly into?:
		| { readonly tensor: Tensor; readonly column?: number; readonly rows?: RowSegments; readonly accumulate?: boolean }
		| undefined;
	readonly label?: string | undefined;
}

/** A linear layer or, with `neighbours`, a convolution; torch: F.linear, F.conv*d on channels-last data. */
export interface MatmulRequest extends Epilogue {
	/** [..., width], f32 or f16: all but the last axis are rows. In blocks without xColumn, xRows and neighbours. */
	readonly x: Tensor;
	/** First of the columns of x that are read; default 0. Their number follows from the weight. */
	readonly xColumn?: number | undefined;
	/** Rows of x that are read; default all. Not with neighbours. */
	readonly xRows?: RowSegments | undefined;
	/** [columns, channels], or [columns, ...taps, channels] with neighbours; f32 or f16. */
	readonly weight: Tensor;
	/**
	 * A batch: the weight is [weights, columns, channels], and x's rows are as many equal runs, each for one of them. Default 1. A run is a
	 * multiple of `batchedRows` rows, and with neighbours so is an image. Not with xRows or rows of `into`.
	 */
	readonly weights?: number | undefined;
	readonly neighbours?: Neighbours | undefined;
}

/** Rows of x that one weight of a batch takes are a multiple of this: the tallest tile of all kernels. */
export const batchedRows = 256;

/** The layer norm of a product's rows. */
export interface RowNorm {
	readonly eps: number;
	readonly affine?: { readonly weight: Tensor; readonly bias: Tensor } | undefined;
	readonly outputDtype: DType;
	readonly label: string;
}

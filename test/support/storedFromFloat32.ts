import { float32ToFloat16 } from "../../engine/gpu/float16.ts";
import type { StoredTensor } from "../../weights/source.ts";

/** A tensor of the values in `dtype` (F16 rounds to nearest even), row-major. */
export function storedFromFloat32(values: Float32Array, shape: readonly number[], dtype: "F32" | "F16" = "F32"): StoredTensor {
	const elements = dtype === "F16" ? float32ToFloat16(values) : values;
	return { dtype, shape, bytes: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength) };
}

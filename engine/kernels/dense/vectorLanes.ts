import type { DType } from "../../gpu/tensor.ts";

/** Elements that a thread of a memory-bound kernel takes as one vector: 4 where all of these counts, strides and columns allow it. */
export function vectorLanes(...counts: readonly number[]): 1 | 4 {
	return counts.every((count) => count % 4 === 0) ? 4 : 1;
}

/** The WGSL type of that many elements. */
export function vectorType(dtype: DType, lanes: 1 | 2 | 4): string {
	return lanes === 1 ? dtype : `vec${lanes}<${dtype}>`;
}

import { blockRows, blockWidth } from "../../engine/gpu/tensor.ts";

/** A matrix [rows, width] of whole blocks as shaders/dense/blocks.wgsl lays it out. */
export function blocksOf(values: Float32Array, width: number): Float32Array {
	const out = new Float32Array(values.length);
	values.forEach((value, at) => {
		const [row, column] = [Math.floor(at / width), at % width];
		const block = Math.floor(row / blockRows) * (width / blockWidth) + Math.floor(column / blockWidth);
		const inBlock = [0, 2, 4, 6, 1, 3, 5, 7][row % blockRows];
		out[(block * blockRows + inBlock) * blockWidth + (column % blockWidth)] = value;
	});
	return out;
}

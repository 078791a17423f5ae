import { type Image, imageOf } from "../../engine/image/image.ts";
import type { StageOneResult } from "../../engine/stages/results.ts";
import { randomValues } from "./gpu.ts";

/** A small result of stage 1: noise of 32 x 32 pixels, an input with a person-like opaque middle, three voxels. */
export function stageOneResult(): StageOneResult {
	const side = 32;
	const noise = (seed: number): Image =>
		imageOf(
			side,
			side,
			3,
			Uint8Array.from(randomValues(side * side * 3, seed), (value) => 128 + 127 * value),
		);
	const input = imageOf(side, side, 4, new Uint8Array(side * side * 4));
	for (let y = 4; y < 28; y++) {
		for (let x = 12; x < 20; x++) input.data.set([200, 150, y, 255], (y * side + x) * 4);
	}
	return {
		input,
		colors: [0, 1, 2, 3, 4].map(noise),
		normals: [5, 6, 7, 8, 9].map(noise),
		coordinates: Int32Array.of(0, 1, 2, 3, 0, 1, 2, 4, 0, 60, 0, 63),
	};
}

import { expect, test } from "vitest";
import { gaussianOffsetPerturbation, gridPositionEmbedding } from "../../weights/computedBuffers.ts";

test("gridPositionEmbedding: sines and cosines of x, y and z, then zeros", () => {
	const [side, channels] = [3, 16];
	const embedding = gridPositionEmbedding(side, channels);
	expect(embedding).toHaveLength(27 * channels);
	for (let row = 0; row < 27; row++) {
		const position = [Math.floor(row / 9), Math.floor(row / 3) % 3, row % 3];
		const expected = position.flatMap((p) => [Math.sin(p), Math.sin(p / 100), Math.cos(p), Math.cos(p / 100)]);
		[...expected, 0, 0, 0, 0].forEach((value, i) => {
			expect(Math.abs(embedding[row * channels + i] - value)).toBeLessThan(1e-7);
		});
	}
});

test("gaussianOffsetPerturbation: Hammersley points", () => {
	const offsets = gaussianOffsetPerturbation(4, 1.5);
	const points = [0, 0, 0, 1 / 4, 1 / 2, 1 / 3, 2 / 4, 1 / 4, 2 / 3, 3 / 4, 3 / 4, 1 / 9];
	points.forEach((h, i) => {
		expect(Math.abs(offsets[i] - Math.atanh((2 * h - 1) / 1.5))).toBeLessThan(1e-7);
	});
});

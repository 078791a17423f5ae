import { describe, expect, it } from "vitest";
import { positionEmbedding } from "../../../engine/kernels/dense/positionEmbedding.ts";
import { gridPositionEmbedding } from "../../../weights/computedBuffers.ts";
import { nmse } from "../../support/gpu.ts";

describe("positionEmbedding", () => {
	it("has sines, then cosines, for one axis after the other, and zeros at the end", () => {
		const [x, y, z] = [3, 63, 17];
		const channels = 1024;
		const count = 170;
		const expected = new Float64Array(channels);
		[x, y, z].forEach((coordinate, axis) => {
			for (let i = 0; i < count; i++) {
				const angle = coordinate * 10000 ** (-i / count);
				expected[axis * 2 * count + i] = Math.sin(angle);
				expected[axis * 2 * count + count + i] = Math.cos(angle);
			}
		});
		const embedding = positionEmbedding([0, 0, 0, x, y, z], channels);
		expect(nmse(embedding.subarray(channels), expected)).toBeLessThan(1e-11);
		expect([...embedding.subarray(1020, 1024)]).toEqual([0, 0, 0, 0]);
	});

	it("gives the buffer of a checkpoint on a whole grid", () => {
		const grid = Array.from({ length: 4 ** 3 }, (_, i) => [i >> 4, (i >> 2) & 3, i & 3]).flat();
		expect(positionEmbedding(grid, 64)).toEqual(gridPositionEmbedding(4, 64));
	});
});

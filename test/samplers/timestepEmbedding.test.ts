import { describe, expect, test } from "vitest";
import { timestepEmbedding } from "../../engine/samplers/timestepEmbedding.ts";

describe("timestepEmbedding", () => {
	test("cosines first, then sines, of falling frequencies", () => {
		const width = 16;
		const timesteps = [0, 1, 500.5, 1000];
		const embedding = timestepEmbedding(timesteps, width);
		expect(embedding).toHaveLength(timesteps.length * width);
		timesteps.forEach((timestep, row) => {
			for (let i = 0; i < width / 2; i++) {
				const angle = timestep * 10000 ** (-i / (width / 2));
				expect(Math.abs(embedding[row * width + i] - Math.cos(angle))).toBeLessThan(1e-4);
				expect(Math.abs(embedding[row * width + width / 2 + i] - Math.sin(angle))).toBeLessThan(1e-4);
			}
		});
	});

	test("noise level 0 is ones, then zeros", () => {
		expect([...timestepEmbedding([0], 6)]).toEqual([1, 1, 1, 0, 0, 0]);
	});

	test("an odd width is refused", () => {
		expect(() => timestepEmbedding([0], 5)).toThrow(RangeError);
	});
});

import { describe, expect, it } from "vitest";
import type { Image } from "../../engine/image/image.ts";
import { isBodyPixel } from "../../engine/mesh/bodyViews.ts";
import { standInNormals } from "../../engine/stages/standInNormals.ts";

const size = 48;

/** Share of pixels that show the figure, and of those the mean normal. */
function shown({ data: normal }: Image): { readonly share: number; readonly mean: readonly number[] } {
	const sum = [0, 0, 0];
	let count = 0;
	for (let pixel = 0; pixel < size * size; pixel++) {
		if (!isBodyPixel({ normal }, pixel)) continue;
		count++;
		for (let c = 0; c < 3; c++) sum[c] += normal[pixel * 3 + c] / 127.5 - 1;
	}
	return { share: count / size ** 2, mean: sum.map((value) => value / count) };
}

describe("standInNormals", () => {
	it("shows the figure from four sides in stage 1's colours, and its head enlarged", () => {
		const [front, right, back, left, face] = standInNormals(size).map(shown);
		for (const { share } of [front, right, back, left]) {
			expect(share).toBeGreaterThan(0.05);
			expect(share).toBeLessThan(0.4);
		}
		// Front and back, right and left have one outline each.
		expect(back.share).toBeCloseTo(front.share, 2);
		expect(left.share).toBeCloseTo(right.share, 2);
		expect([front.mean[2], right.mean[0], -back.mean[2], -left.mean[0]].every((value) => value > 0.5)).toBe(true);
		expect(face.mean[2]).toBeGreaterThan(0.5);
	});
});

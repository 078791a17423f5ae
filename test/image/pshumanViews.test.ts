import { describe, expect, test } from "vitest";
import type { FloatImage } from "../../engine/image/image.ts";
import { pshumanPictures, pshumanViewNames } from "../../engine/image/pshumanViews.ts";

const size = 6;
/** A view whose sample is its number in the red channel and the column in the green. */
const view = (number: number): FloatImage => ({
	width: size,
	height: size,
	channels: 3,
	data: Float32Array.from({ length: size * size * 3 }, (_, i) =>
		i % 3 === 0 ? number / 255 : i % 3 === 1 ? (Math.floor(i / 3) % size) / 255 : 0,
	),
});

describe("pshumanViews", () => {
	test("six pictures of each kind: the input first, the face's normals in the front's, back and left turned", () => {
		const colors = Array.from({ length: 7 }, (_, i) => view(10 + i));
		const normals = Array.from({ length: 7 }, (_, i) => view(20 + i));
		const result = pshumanPictures(view(99), colors, normals);
		expect(result.colors).toHaveLength(pshumanViewNames.length);
		expect(result.colors.map(({ data }) => data[0])).toEqual([99, 11, 12, 13, 14, 15]);
		expect(result.normals.map(({ data }) => data[0])).toEqual([20, 21, 22, 23, 24, 25]);
		for (const kind of [result.colors, result.normals]) {
			expect(kind.map(({ data }) => data[1])).toEqual([0, 0, 0, size - 1, size - 1, 0]);
		}
		// The middle third of the upper third is the face view, number 6.
		expect(result.normals[0].data[2 * 3]).toBe(26);
		expect(result.strip.width).toBe(15 * size);
		expect([0, 1, 2, 3, 14].map((tile) => result.strip.data[tile * size * 3])).toEqual([99, 10, 20, 11, 26]);
	});
});

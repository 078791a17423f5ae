import { expect, it } from "vitest";
import type { PixelLookups } from "../../engine/mesh/pixelLookups.ts";
import { solveTexture } from "../../engine/mesh/solveTexture.ts";

const size = 8;

/** Pixels of `perPixel` lookups (texel column, row, level) with one grey each. */
function pixels(
	rows: readonly { readonly at: readonly (readonly [column: number, row: number, level: number])[]; readonly grey: number }[],
	weight = 1,
): PixelLookups {
	const perPixel = rows[0].at.length;
	const values = new Uint32Array(rows.length * perPixel * 4);
	const floats = new Float32Array(values.buffer);
	rows.forEach(({ at, grey }, i) => {
		at.forEach(([column, row, level], k) => {
			floats.set([(column + 0.5) / size, (row + 0.5) / size, level], (i * perPixel + k) * 4);
			values[(i * perPixel + k) * 4 + 3] = grey * 0x010101;
		});
	});
	return { values, perPixel, weights: new Float32Array(rows.length).fill(weight) };
}

const start = new Float32Array(size * size * 3).fill(0.5);
const texel = (texture: Float32Array, column: number, row: number) => texture[(row * size + column) * 3];

it("gives texels the colours of the pixels that look them up, and leaves the others alone", () => {
	const texture = solveTexture(start, size, [
		pixels([
			{ at: [[1, 1, 0]], grey: 255 },
			{ at: [[3, 2, 0]], grey: 0 },
		]),
	]);
	// Held a tenth: (1 + 0.105 * 0.5) / 1.105.
	expect(texel(texture, 1, 1)).toBeCloseTo(1.0525 / 1.105, 5);
	expect(texel(texture, 3, 2)).toBeCloseTo(0.0525 / 1.105, 5);
	expect(texel(texture, 5, 5)).toBe(0.5);
});

it("sharpens what a mean would blur: lookups between texels are undone", () => {
	// Stripes seen at quarters of a texel; the mean of what looks a texel up would be a weak stripe.
	const rows = Array.from({ length: 29 }, (_, i) => {
		const column = i / 4;
		const [left, part] = [Math.floor(column), (i % 4) / 4];
		return { at: [[column, 3, 0] as const], grey: Math.round(255 * ((left % 2) * (1 - part) + ((left + 1) % 2) * part)) };
	});
	const texture = solveTexture(start, size, [pixels(rows)]);
	for (let column = 1; column < 7; column++) expect(Math.abs(texel(texture, column, 3) - (column % 2))).toBeLessThan(0.12);
});

it("lets the heavier of two views that disagree decide, and reads coarse levels as the mean of their texels", () => {
	const both = solveTexture(start, size, [pixels([{ at: [[2, 2, 0]], grey: 255 }], 1), pixels([{ at: [[2, 2, 0]], grey: 0 }], 0.1)]);
	expect(texel(both, 2, 2)).toBeGreaterThan(0.85);
	const coarse = solveTexture(start, size, [pixels([{ at: [[4.5, 4.5, 1]], grey: 255 }])]);
	for (const [column, row] of [
		[4, 4],
		[5, 5],
	]) {
		expect(texel(coarse, column, row)).toBeGreaterThan(0.9);
	}
	expect(texel(coarse, 6, 4)).toBe(0.5);
});

it("takes the mean of a pixel's lookups, of those that hit the surface, and gives the same numbers twice", () => {
	const views = [
		pixels([
			{
				at: [
					[1, 1, 0],
					[1, 2, 0],
					[-0.5, -0.5, 0],
					[-0.5, -0.5, 0],
				],
				grey: 204,
			},
		]),
	];
	const texture = solveTexture(start, size, views);
	expect((texel(texture, 1, 1) + texel(texture, 1, 2)) / 2).toBeGreaterThan(0.75);
	expect(texel(texture, 0, 0)).toBe(0.5);
	expect(solveTexture(start, size, views)).toEqual(texture);
});

import { expect, it } from "vitest";
import { drawnNormals, twoBalls } from "../support/twoBalls.ts";

const size = 96;

it("draws normals and depths as the front camera sees them", () => {
	const { normals, nearest } = drawnNormals(twoBalls(0), 0, size);
	const middle = (size / 2) * size + size / 2;
	expect(nearest[middle]).toBeCloseTo(0.45, 2);
	expect(normals[middle * 3 + 1]).toBeLessThan(-0.98);
	const lower = size * 0.75 * size + size / 2;
	expect(Math.abs(nearest[lower] - (-0.1 + Math.sqrt(0.35 ** 2 - 0.25 ** 2)))).toBeLessThan(0.01);
	expect(normals[lower * 3 + 2]).toBeLessThan(-0.6);
	expect(nearest[0]).toBe(Number.NEGATIVE_INFINITY);
});

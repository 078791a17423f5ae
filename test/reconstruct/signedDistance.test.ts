import { expect, it } from "vitest";
import { signedDistance } from "../../engine/reconstruct/signedDistance.ts";
import { randomValues } from "../support/gpu.ts";

/** Every pixel against every other, and a ring of pixels around the picture. */
function reference(mask: Uint8Array, width: number, height: number): number[] {
	const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : mask[y * width + x]);
	return Array.from(mask, (own, pixel) => {
		const [px, py] = [pixel % width, Math.floor(pixel / width)];
		let nearest = Number.POSITIVE_INFINITY;
		for (let y = -1; y <= height; y++)
			for (let x = -1; x <= width; x++) if (at(x, y) !== own) nearest = Math.min(nearest, Math.hypot(x - px, y - py));
		return own === 1 ? 0.5 - nearest : nearest - 0.5;
	});
}

it("is the distance to the nearest pixel of the other kind, less half a pixel", () => {
	for (const [width, height, density] of [
		[1, 1, 2],
		[13, 7, 0.3],
		[7, 13, -0.7],
		[16, 16, 0.9],
	]) {
		const mask = Uint8Array.from(randomValues(width * height, width + height), (value) => (value < density ? 1 : 0));
		const found = signedDistance(mask, width, height);
		const expected = reference(mask, width, height);
		for (let i = 0; i < mask.length; i++) expect(found[i], `${width} x ${height}, pixel ${i}`).toBeCloseTo(expected[i], 5);
	}
});

it("is infinite where there is nothing", () => {
	expect([...signedDistance(new Uint8Array(6), 3, 2)]).toEqual(Array(6).fill(Number.POSITIVE_INFINITY));
});

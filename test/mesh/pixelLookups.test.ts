import { expect, it } from "vitest";
import { finerView, pixelLookups } from "../../engine/mesh/pixelLookups.ts";
import { textureSamples } from "../../engine/mesh/textureSamples.ts";
import { bakeViews } from "../../engine/splat/cameras.ts";

// A square that the front view sees face on to the left, and one turned away by 60 degrees to the right.
const mesh = {
	positions: Float32Array.from([
		-0.4, 0, -0.4, 0, 0, -0.4, 0, 0, 0.4, -0.4, 0, 0.4, 0, 0, -0.4, 0.2, 0.3464, -0.4, 0.2, 0.3464, 0.4, 0, 0, 0.4,
	]),
	faces: Uint32Array.from([0, 1, 2, 0, 2, 3, 4, 5, 6, 4, 6, 7]),
	uvs: Float32Array.from([0, 0, 0.5, 0, 0.5, 1, 0, 1, 0.5, 0, 1, 0, 1, 1, 0.5, 1]),
};
const size = 20;
const camera = bakeViews(0)[0];
const view = {
	...{ width: size, height: size, view: camera.view, projection: camera.projection, rowsRunWithRaster: true },
	color: Uint8Array.from({ length: size * size * 3 }, (_, i) => (Math.floor(i / 3) % size < 4 ? 250 : 40 + (Math.floor(i / 3) % size))),
	mask: Uint8Array.from({ length: size * size }, (_, i) => (i % size >= 2 && i % size < 14 && i >= size * 2 && i < size * 18 ? 1 : 0)),
};

it("gives every pixel of the mask its four lookups, within the pixel", () => {
	const finer = finerView(view);
	expect([finer.width, finer.height, finer.mask?.reduce((a, b) => a + b, 0)]).toEqual([40, 40, 12 * 16 * 4]);
	const { values, perPixel, weights } = pixelLookups(view, textureSamples(mesh, finer, 64, 6), 64, 2);
	expect([perPixel, weights.length, values.length]).toEqual([4, 192, 192 * 16]);
	const floats = new Float32Array(values.buffer);
	for (let pixel = 0; pixel < 192; pixel++) {
		const column = 2 + (pixel % 12);
		for (let k = 0; k < 4; k++) {
			const at = (pixel * 4 + k) * 4;
			expect(values[at + 3] & 255).toBe(column < 4 ? 250 : 40 + column);
			const across = (column + 0.25 + 0.5 * (k & 1)) / size - 0.5;
			expect(floats[at]).toBeCloseTo(across < 0 ? ((across + 0.4) / 0.4) * 0.5 : 0.5 + (across / 0.2) * 0.5, 4);
		}
	}
});

it("lets pixels count less that are white or see the surface from the side", () => {
	const { weights } = pixelLookups(view, textureSamples(mesh, finerView(view), 64, 6), 64, 2);
	expect(weights[0]).toBeCloseTo(2 * 0.05, 4); // columns 2 and 3 are white
	expect(weights[4]).toBeCloseTo(2, 1);
	expect(weights[11]).toBeCloseTo(2 * (1 / 2) ** 2.5, 2);
});

it("refuses samples of another view", () => {
	expect(() => pixelLookups(view, textureSamples(mesh, view, 64, 6), 64, 1)).toThrow("not those of this view");
});

import { expect, it } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { mipLevel, textureSamples } from "../../engine/mesh/textureSamples.ts";
import { bakeViews } from "../../engine/splat/cameras.ts";
import { uvSphere } from "../support/uvSphere.ts";

it("measures the longer axis of a pixel's footprint", () => {
	const level = (...slopes: [number, number, number, number]) => mipLevel(...slopes, 32, 32, 5);
	expect(level(1 / 32, 0, 0, 1 / 32)).toBe(0);
	expect(level(4 / 32, 0, 0, 1 / 32)).toBeCloseTo(2, 6);
	const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
	expect(level((c * 8) / 32, (-s * 2) / 32, (s * 8) / 32, (c * 2) / 32)).toBeCloseTo(3, 5);
	expect(level(0, 0, 0, 0)).toBe(0);
	expect(level(0.001, 0, 0, 0.001)).toBe(0);
	expect(level(100, 0, 0, 0)).toBe(5);
});

it("looks up every pixel of the mask; rows of perspective pictures run against the raster", () => {
	const size = 40;
	const color = Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * 7) % 251);
	const mask = new Uint8Array(size * size);
	mask.fill(1, 0, size * 12); // the picture's upper part
	for (const { view, projection, orthographic } of [bakeViews(1)[0], bakeViews(4)[7]]) {
		const { count, values, uncovered } = textureSamples(
			uvSphere(),
			{ width: size, height: size, color, mask, view, projection, rowsRunWithRaster: orthographic },
			32,
			6,
		);
		expect(count).toBe(size * 12);
		const floats = new Float32Array(values.buffer);
		let outside = 0;
		for (let i = 0; i < count; i++) {
			const row = orthographic ? Math.floor(i / size) : 11 - Math.floor(i / size);
			const pixel = (row * size + (i % size)) * 3;
			expect(values[i * 4 + 3]).toBe(color[pixel] + 256 * color[pixel + 1] + 65536 * color[pixel + 2]);
			if (floats[i * 4] === 0) outside++;
			else if (orthographic) expect(floats[i * 4 + 1]).toBeLessThan(0.45); // the head: v runs down the sphere
		}
		expect(uncovered).toBe(outside);
		expect(outside).toBeGreaterThan(0);
		expect(outside).toBeLessThan(count);
	}
});

it("refuses pictures of another size than they say", () => {
	const [{ view, projection }] = bakeViews(1);
	const observation = {
		width: 8,
		height: 8,
		color: new Uint8Array(3),
		mask: new Uint8Array(64),
		view,
		projection,
		rowsRunWithRaster: true,
	};
	expect(() => textureSamples(uvSphere(), observation, 32, 6)).toThrow(SyncHumanError);
});

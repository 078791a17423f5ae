import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { clipPositions, interpolateUvs, rasterizeFaces } from "../../engine/mesh/triangleRaster.ts";
import { bakeViews } from "../../engine/splat/cameras.ts";
import { uvSphere } from "../support/uvSphere.ts";

const golden = JSON.parse(readFileSync(new URL("../fixtures/mesh/bakeTexture.json", import.meta.url), "utf8"));

it("covers the golden's pixels and gives its texture coordinates and derivatives", () => {
	const { positions, faces, uvs } = uvSphere();
	const views = bakeViews(4);
	const sizes = [48, 48, 48, 48, 60, 40, 40, 40, 40];
	views.forEach(({ view, projection }, index) => {
		const clip = clipPositions(positions, view, projection);
		const raster = rasterizeFaces(clip, faces, sizes[index], sizes[index]);
		expect(raster.faces.filter((face) => face > 0).length).toBe(golden.covered[index]);
		const pixels = golden.pixels.filter(([of]: number[]) => of === index);
		let found = 0;
		interpolateUvs(raster, clip, faces, uvs, undefined, (pixel, ...values) => {
			for (const [, row, column, ...expected] of pixels) {
				if (pixel !== row * sizes[index] + column) continue;
				found++;
				values.forEach((value, k) => {
					expect(Math.abs(value - expected[k])).toBeLessThan(2e-6);
				});
			}
		});
		expect(found).toBe(pixels.length);
	});
});

it("gives every pixel centre of two triangles that share an edge to exactly one of them", () => {
	// The shared diagonal and the outer edges run exactly through pixel centres of an 8 x 8 raster.
	const corner = 1 - 1 / 8;
	const clip = Float32Array.from([-corner, -corner, 0, 1, corner, -corner, 0, 1, corner, corner, 0, 1, -corner, corner, 0, 1]);
	for (const triangles of [
		[0, 1, 2, 0, 2, 3],
		[0, 2, 1, 0, 3, 2],
	]) {
		const one = rasterizeFaces(clip, Uint32Array.from(triangles.slice(0, 3)), 8, 8).faces;
		const other = rasterizeFaces(clip, Uint32Array.from(triangles.slice(3)), 8, 8).faces;
		// A square of 7 x 7 pixels, half-open at two of its sides.
		expect(one.filter((face, i) => face > 0 && other[i] > 0).length).toBe(0);
		expect(one.filter((face, i) => face > 0 || other[i] > 0).length).toBe(49);
	}
});

it("keeps the nearest face, the first of equals, and nothing behind the camera or outside the depth range", () => {
	const triangle = (z: number, w = 1) => [-1, -1, z, w, 3, -1, z, w, -1, 3, z, w];
	const order = (...zs: number[]) =>
		rasterizeFaces(
			Float32Array.from(zs.flatMap((z) => triangle(z))),
			Uint32Array.from({ length: zs.length * 3 }, (_, i) => i),
			3,
			3,
		).faces[4];
	expect(order(0.5, -0.5, 0)).toBe(2);
	expect(order(0.25, 0.25)).toBe(1);
	expect(order(1.5, -1.25)).toBe(0);
	expect(rasterizeFaces(Float32Array.from(triangle(0, -1)), Uint32Array.from([0, 1, 2]), 3, 3).faces[4]).toBe(0);
	expect(
		rasterizeFaces(Float32Array.from([0, 0, 0, 1, 1, 1, 0, 1, 0.5, 0.5, 0, 1]), Uint32Array.from([0, 1, 2]), 4, 4).faces.every(
			(f) => f === 0,
		),
	).toBe(true);
});

it("interpolates in perspective: derivatives agree with differences of neighbouring pixels", () => {
	const clip = Float32Array.from([-1, -1, 0, 1, 2.4, -1.2, 0, 2, -0.8, 2.6, 0, 3]);
	const uvs = Float32Array.from([0, 0, 1, 0, 0, 1]);
	const size = 64;
	const triangles = Uint32Array.from([0, 1, 2]);
	const at = new Map<number, number[]>();
	interpolateUvs(rasterizeFaces(clip, triangles, size, size), clip, triangles, uvs, undefined, (pixel, ...values) => at.set(pixel, values));
	let checked = 0;
	for (const [pixel, [, , duDx, duDy, dvDx, dvDy]] of at) {
		const [left, right, below, above] = [pixel - 1, pixel + 1, pixel - size, pixel + size].map((p) => at.get(p));
		if (left === undefined || right === undefined || below === undefined || above === undefined) continue;
		if (pixel % size === 0 || pixel % size === size - 1) continue;
		checked++;
		expect(Math.abs((right[0] - left[0]) / 2 - duDx)).toBeLessThan(2e-4);
		expect(Math.abs((above[0] - below[0]) / 2 - duDy)).toBeLessThan(2e-4);
		expect(Math.abs((right[1] - left[1]) / 2 - dvDx)).toBeLessThan(2e-4);
		expect(Math.abs((above[1] - below[1]) / 2 - dvDy)).toBeLessThan(2e-4);
	}
	expect(checked).toBeGreaterThan(300);
});

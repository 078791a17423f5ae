import { expect, it } from "vitest";
import { bodyCameras } from "../../engine/mesh/bodyViews.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { normalFlow, normalPyramid } from "../../engine/reconstruct/normalFlow.ts";
import { normalRaster } from "../../engine/reconstruct/normalRaster.ts";
import { uvSphere } from "../support/uvSphere.ts";

const size = 96;

/** A ball of radius 0.35 at (0, 0.2, 0) with a small one of 0.1 before it, `moved` to the side. */
function balls(moved: number) {
	const [large, small] = [uvSphere(48, 24, 1), uvSphere(32, 16, 1)];
	const place = (points: Float32Array, radius: number, centre: readonly number[]) =>
		points.map((value, i) => value * radius + centre[i % 3]);
	const positions = Float32Array.from([...place(large.positions, 0.35, [0, 0.1, 0]), ...place(small.positions, 0.1, [moved, -0.35, 0])]);
	const first = large.positions.length / 3;
	const faces = Uint32Array.from([...large.faces, ...small.faces.map((vertex) => vertex + first)]);
	const mesh = { positions, faces };
	return normalRaster(mesh, vertexNormals(mesh), bodyCameras[0], size);
}

/** A raster as a normal map. */
function normalMap({ normals, nearest }: ReturnType<typeof balls>) {
	const normal = new Uint8Array(size * size * 3).fill(255);
	for (let pixel = 0; pixel < size * size; pixel++) {
		if (nearest[pixel] === Number.NEGATIVE_INFINITY) continue;
		const [x, y, z] = normals.subarray(pixel * 3, pixel * 3 + 3);
		normal.set(
			[x, z, -y].map((value) => Math.round((value + 1) * 127.5)),
			pixel * 3,
		);
	}
	return { size, normal };
}

it("draws normals and depths as the front camera sees them", () => {
	const { normals, nearest } = balls(0);
	const middle = (size / 2) * size + size / 2;
	expect(nearest[middle]).toBeCloseTo(0.45, 2);
	expect(normals[middle * 3 + 1]).toBeLessThan(-0.98);
	const lower = size * 0.75 * size + size / 2;
	expect(Math.abs(nearest[lower] - (-0.1 + Math.sqrt(0.35 ** 2 - 0.25 ** 2)))).toBeLessThan(0.01);
	expect(normals[lower * 3 + 2]).toBeLessThan(-0.6);
	expect(nearest[0]).toBe(Number.NEGATIVE_INFINITY);
});

it("finds how far a thing before another one stands off, and that the other one does not", () => {
	const drawn = balls(0);
	const pyramid = normalPyramid(normalMap(balls(0.06)), size);
	const { steps, fit } = normalFlow(drawn, pyramid);
	const mean = (isThere: (depth: number, pixel: number) => boolean) => {
		let [sum, count] = [0, 0];
		for (let pixel = 0; pixel < size * size; pixel++) {
			if (!isThere(drawn.nearest[pixel], pixel)) continue;
			sum += steps[pixel * 2];
			count++;
		}
		return sum / count;
	};
	expect(Math.abs(mean((depth) => depth > 0.37) - 0.06 * size)).toBeLessThan(1);
	expect(Math.abs(mean((depth, pixel) => depth > 0 && depth < 0.3 && (pixel % size < 30 || pixel % size > 72)))).toBeLessThan(0.5);
	expect(fit[(size / 2) * size + size / 2]).toBeGreaterThan(0.8);
	expect(fit[0]).toBe(0);
	expect(normalFlow(drawn, pyramid)).toEqual({ steps, fit });
});

it("finds nothing to move where the view shows what is drawn", () => {
	const drawn = balls(0.02);
	const { steps } = normalFlow(drawn, normalPyramid(normalMap(drawn), size));
	expect(Math.max(...steps.map(Math.abs))).toBeLessThan(0.3);
});

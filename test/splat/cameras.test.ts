import { expect, it } from "vitest";
import {
	bakeViews,
	cameraFov,
	fovIntrinsics,
	hammersleySequence,
	lookAtOrigin,
	type Matrix4,
	orthographicProjection,
	perspectiveProjection,
	radicalInverse,
	sphereCamera,
	sphereHammersley,
	viewOfExtrinsics,
	visibilityViews,
} from "../../engine/splat/cameras.ts";
import { adapters } from "../../runners/parity/adapters/splat.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

const apply = (matrix: Matrix4, point: readonly number[]) =>
	[0, 1, 2, 3].map((row) => [...point, 1].reduce((sum, value, column) => sum + matrix[row * 4 + column] * value, 0));

it("agrees with the official cameras", async () => {
	expect(failures(await runParityFixture("cameras", adapters.cameras, "f32"))).toEqual([]);
});

it("mirrors digits behind the point", () => {
	expect([0, 1, 2, 3, 4].map((i) => radicalInverse(2, i))).toEqual([0, 0.5, 0.25, 0.75, 0.125]);
	expect(radicalInverse(3, 5)).toBeCloseTo(2 / 3 + 1 / 9, 15);
	expect(hammersleySequence(1, 3, 4)).toEqual([0.75]);
	expect(() => hammersleySequence(6, 0, 4)).toThrow("dimension must be 1 to 5, got 6");
});

it("spreads directions from the lower pole upwards", () => {
	const heights = Array.from({ length: 10 }, (_, i) => Math.sin(sphereHammersley(i, 10).pitch));
	heights.forEach((height, i) => {
		expect(height).toBeCloseTo(-1 + i / 5, 12);
	});
});

it("sees the origin in the middle, +x on the right and +z above from the front", () => {
	const { extrinsics, intrinsics } = sphereCamera({ yaw: -Math.PI, pitch: 0 }, 2, cameraFov);
	const pixel = (point: readonly number[]) => {
		const [x, y, z] = apply(extrinsics, point);
		return [(intrinsics.fx * x) / z + intrinsics.cx, (intrinsics.fy * y) / z + intrinsics.cy, z];
	};
	expect(pixel([0, 0, 0])).toEqual([expect.closeTo(0.5, 12), expect.closeTo(0.5, 12), expect.closeTo(2, 12)]);
	expect(pixel([0.1, 0, 0])[0]).toBeGreaterThan(0.55);
	expect(pixel([0, 0, 0.1])[1]).toBeLessThan(0.45);
	expect(pixel([0, -0.5, 0])[2]).toBeCloseTo(1.5, 6);
	// The edge of the picture is half the field of view off.
	expect(pixel([2 * Math.tan(cameraFov / 2), 0, 0])[0]).toBeCloseTo(1, 6);
});

it("gives clip depth -1 at near and 1 at far, and top-down rows in orthographic views", () => {
	const clip = perspectiveProjection({ fx: 1, fy: 2, cx: 0.25, cy: 0.6 }, 1, 3);
	for (const [z, depth] of [
		[-1, -1],
		[-3, 1],
	]) {
		const [x, y, zClip, w] = apply(clip, [0, 0, z]);
		expect(zClip / w).toBeCloseTo(depth, 12);
		// The principal point, as columns from the left and rows from the top.
		expect([(x / w + 1) / 2, (1 - y / w) / 2]).toEqual([expect.closeTo(0.25, 12), expect.closeTo(0.6, 12)]);
	}
	expect(apply(orthographicProjection(0.5, 1, 3), [0.5, 0.5, -3])).toEqual([1, -1, 1, 1]);
});

it("has an up at both poles, and refuses an eye exactly above the origin", () => {
	expect(bakeViews(2)).toHaveLength(7);
	for (const { view } of [...visibilityViews(3), ...bakeViews(3)]) expect(view.every(Number.isFinite)).toBe(true);
	expect(() => lookAtOrigin([0, 0, 2])).toThrow("must not stand on the z axis");
	const extrinsics = lookAtOrigin([1, 2, 0.5]);
	expect(viewOfExtrinsics(viewOfExtrinsics(extrinsics))).toEqual(extrinsics);
	expect(fovIntrinsics(Math.PI / 2).fx).toBeCloseTo(0.5, 15);
});

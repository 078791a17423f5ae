import { describe, expect, test } from "vitest";
import { bodyCoordinates, bodySdf } from "../../engine/random/bodyGeometry.ts";
import { sha256 } from "../support/sha256.ts";

// Expected values: the reference kit's body_coords, run with numpy 1.24.
describe("bodyGeometry", () => {
	test.each([
		[64, 0.92, 1.5, 8645, "d0fbb4dd9dd8abe7"],
		[64, 0.4, 0.5, 544, "acd4c88b6b217017"],
		[64, 0.44, 0.7, 924, "cac7f7ed64efa5cf"],
		[16, 0.7, 0.3, 73, "78e15123f7323d19"],
	])("voxels of a grid of %i, height %f, thickness %f", (resolution, height, halfThickness, count, sum) => {
		const rows = bodyCoordinates({ resolution, height, halfThickness });
		expect(rows.length).toBe(count * 4);
		expect(sha256(rows)).toBe(sum);
	});

	test("the distance is negative inside and grows outwards", () => {
		expect(bodySdf(0, 0, 0.42)).toBeCloseTo(-0.065, 12);
		expect(bodySdf(0, 0, 0.495)).toBeCloseTo(0, 12);
		expect(bodySdf(0, -1, 0.42)).toBeGreaterThan(bodySdf(0, -0.9, 0.42));
	});
});

import { expect, it } from "vitest";
import { gaussianRows } from "../../engine/splat/gaussianCloud.ts";
import { randomCloud } from "../support/randomCloud.ts";

it("puts position, colour, scale, rotation and opacity side by side", () => {
	const cloud = randomCloud(3, 7);
	const row = gaussianRows(cloud).subarray(14, 28);
	expect([...row]).toEqual([
		...cloud.positions.subarray(3, 6),
		...cloud.featuresDc.subarray(3, 6),
		...cloud.scales.subarray(3, 6),
		...cloud.rotations.subarray(4, 8),
		cloud.opacities[1],
	]);
});

it("refuses no Gaussians, wrong lengths and values that are not finite", () => {
	const cloud = randomCloud(3, 7);
	expect(() => gaussianRows({ ...cloud, count: 0 })).toThrow("there are none");
	expect(() => gaussianRows({ ...cloud, count: 2 })).toThrow("positions must be [2, 3], got 9 values");
	expect(() => gaussianRows({ ...cloud, scales: cloud.scales.with(4, Number.NaN) })).toThrow("scales of Gaussian 1 holds NaN");
});

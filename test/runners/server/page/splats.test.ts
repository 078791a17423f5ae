import { expect, it } from "vitest";
import { backToFront } from "../../../../runners/server/page/backToFront.ts";
import { splatRows, textureWidth } from "../../../../runners/server/page/splatRows.ts";
import { randomValues } from "../../../support/gpu.ts";
import { randomCloud } from "../../../support/randomCloud.ts";

/** A column-major view matrix whose camera looks along `direction`, which is all that counts. */
const looking = (direction: readonly number[]) => {
	const view = new Float32Array(16);
	direction.forEach((value, axis) => {
		view[axis * 4 + 2] = -value;
	});
	return view;
};

it("points come farthest first, from everywhere", () => {
	const positions = randomValues(3 * 5000, 1);
	const sort = backToFront(positions);
	const order = new Uint32Array(5000);
	for (const direction of [
		[0, 0, -1],
		[1, 0, 0],
		[0.6, -0.64, 0.48],
	]) {
		sort(looking(direction), order);
		expect(new Set(order).size).toBe(5000);
		const depth = (i: number) => direction.reduce((sum, value, axis) => sum + value * positions[3 * i + axis], 0);
		// Up to the width of a bucket.
		for (let i = 1; i < 5000; i++) expect(depth(order[i])).toBeLessThan(depth(order[i - 1]) + 4 / 2 ** 14);
	}
	const flat = new Uint32Array(3);
	backToFront(new Float32Array(9))(looking([0, 0, -1]), flat);
	expect([...flat]).toEqual([0, 1, 2]);
});

it("Gaussians stand as the GLB does, with their covariance", () => {
	const cloud = randomCloud(1500, 7);
	const { texels, positions, height, count } = splatRows(cloud);
	expect([count, height, texels.length]).toEqual([1500, 2, 2 * textureWidth * 4]);
	for (const i of [0, 1, 1023, 1024, 1499]) {
		const [w, x, y, z] = cloud.rotations.subarray(4 * i, 4 * i + 4);
		// R diag(s) in our world, its rows turned to (x, z, -y).
		const rotation = [
			[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
			[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
			[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
		];
		const turned = [rotation[0], rotation[2], rotation[1].map((value) => -value)];
		const axes = turned.map((row) => row.map((value, k) => value * cloud.scales[3 * i + k]));
		const covariance = (a: number, b: number) => axes[a].reduce((sum, value, k) => sum + value * axes[b][k], 0);
		const expected = [covariance(0, 0), covariance(0, 1), covariance(0, 2), covariance(1, 1), covariance(1, 2), covariance(2, 2)];
		const row = texels.subarray(12 * i, 12 * i + 12);
		const [px, py, pz] = cloud.positions.subarray(3 * i, 3 * i + 3);
		expect([...row.subarray(0, 3)]).toEqual([px, pz, -py]);
		expect([...positions.subarray(3 * i, 3 * i + 3)]).toEqual([px, pz, -py]);
		expect(row[3]).toBe(cloud.opacities[i]);
		expected.forEach((value, k) => {
			expect(Math.abs(row[4 + k] - value)).toBeLessThan(1e-6 * Math.max(...expected.map(Math.abs)));
		});
		const bytes = [row[10] % 256, Math.floor(row[10] / 256) % 256, Math.floor(row[10] / 65_536)];
		bytes.forEach((byte, c) => {
			const color = Math.min(Math.max(0.28209479 * cloud.featuresDc[3 * i + c] + 0.5, 0), 1);
			expect(Math.abs(byte - 255 * color)).toBeLessThanOrEqual(0.51);
		});
	}
});

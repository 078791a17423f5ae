import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { projectGaussians } from "../../../engine/kernels/splat/projectGaussians.ts";
import { type PinholeCamera, sphereCamera } from "../../../engine/splat/cameras.ts";
import { type GaussianCloud, gaussianRows } from "../../../engine/splat/gaussianCloud.ts";
import { nmse, runGraph, testDevice } from "../../support/gpu.ts";
import { randomCloud } from "../../support/randomCloud.ts";
import { referenceSplat } from "../../support/splatReference.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const size = { width: 90, height: 40, kernelSize: 0.2 };

async function project(cloud: GaussianCloud, rows: Float32Array, { extrinsics, intrinsics: { fx, fy, cx, cy } }: PinholeCamera) {
	const [projected, rectangles, counts, keys] = await runGraph(device, (graph) => {
		const result = projectGaussians(graph, {
			gaussians: residentTensor(device, "Gaussians", "f32", [cloud.count, 14], rows),
			camera: residentTensor(device, "camera", "f32", [16], Float32Array.from([...extrinsics.slice(0, 12), fx, fy, cx, cy])),
			...size,
		});
		return [result.projected, result.rectangles, result.tileCounts, result.depthKeys];
	});
	return { projected, rectangles, counts, keys };
}

describe("projectGaussians", () => {
	it.each([
		["from outside", 2],
		["from the middle of the Gaussians, some behind", 0.1],
	])("gives centres, conics, opacities and tiles: %s", async (_, radius) => {
		const cloud = randomCloud(101, 4);
		const camera: PinholeCamera = {
			...sphereCamera({ yaw: 2.1, pitch: -0.6 }, radius, 0.8),
			intrinsics: { fx: 1.2, fy: 1.9, cx: 0.45, cy: 0.6 },
		};
		const { projected, rectangles, counts, keys } = await project(cloud, gaussianRows(cloud), camera);
		const expected: number[] = [];
		const actual: number[] = [];
		let drawn = 0;
		for (let i = 0; i < cloud.count; i++) {
			const splat = referenceSplat(cloud, i, camera, size);
			const [x0, y0, x1, y1] = splat?.rectangle ?? [0, 0, 0, 0];
			const tiles = (x1 - x0) * (y1 - y0);
			expect([...rectangles.subarray(i * 4, i * 4 + 4)]).toEqual([x0, y0, x1, y1]);
			expect(counts[i]).toBe(splat !== undefined && splat.opacity >= 1 / 255 ? tiles : 0);
			if (splat === undefined || tiles === 0) {
				expect(projected[i * 12 + 7]).toBe(0);
				expect(keys[i]).toBe(2 ** 32);
				continue;
			}
			drawn++;
			expected.push(splat.x / 90, splat.y / 90, splat.depth, splat.opacity, ...splat.conic, splat.radius / 90, ...splat.color);
			const row = projected.subarray(i * 12, i * 12 + 11);
			actual.push(...row.map((value, column) => (column < 2 || column === 7 ? value / 90 : value)));
		}
		expect(drawn).toBeGreaterThan(10);
		expect(nmse(actual, expected)).toBeLessThan(1e-10);
	});

	it("draws no Gaussian whose picture is not finite, or fainter than 1/255", async () => {
		const cloud = randomCloud(4, 9, 0.1);
		const rows = gaussianRows(cloud);
		rows[0] = Number.NaN;
		rows[14 + 6] = 3e38;
		rows[28 + 13] = 0.0039;
		const { counts } = await project(cloud, rows, sphereCamera({ yaw: 0, pitch: 0 }, 2, 0.8));
		expect([...counts.subarray(0, 3)]).toEqual([0, 0, 0]);
		expect(counts[3]).toBeGreaterThan(0);
	});
});

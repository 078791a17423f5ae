import { beforeAll, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { bakeViews, cameraFov, cameraRadius, fovIntrinsics } from "../../engine/splat/cameras.ts";
import { mostCoveredPixels, mostTilePairs } from "../../engine/splat/gaussianBounds.ts";
import type { GaussianCloud } from "../../engine/splat/gaussianCloud.ts";
import { gaussianRendererBytes, openGaussianRenderer, truncatedColors } from "../../engine/splat/renderGaussians.ts";
import { testDevice } from "../support/gpu.ts";
import { randomCloud } from "../support/randomCloud.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const size = 96;
const small = randomCloud(60, 3, 0.1);
const clouds: readonly (readonly [string, GaussianCloud])[] = [
	["a cloud around the origin", randomCloud(300, 1)],
	["tiny Gaussians", { ...randomCloud(300, 2, 0.2), scales: new Float32Array(900).fill(0.0009) }],
	["a cloud in a corner", { ...small, positions: small.positions.map((value) => value + 0.4) }],
];

it.each(clouds)("covers no more than foreseen: %s", async (_, cloud) => {
	const cameras = bakeViews(7).slice(5);
	const foreseen = mostTilePairs(cloud, size, cameraRadius, fovIntrinsics(cameraFov).fx);
	const areas = mostCoveredPixels(cloud, size, cameras);
	const before = device.memory.currentBytes;
	device.memory.peakBytes = before;
	const renderer = await openGaussianRenderer(device, cloud, { width: size, height: size });
	try {
		for (const [i, camera] of cameras.entries()) {
			expect(await renderer.render(camera)).toBeLessThanOrEqual(foreseen);
			const color = truncatedColors((await renderer.read()).color);
			let covered = 0;
			for (let pixel = 0; pixel < size * size; pixel++) if (color[pixel * 3] | color[pixel * 3 + 1] | color[pixel * 3 + 2]) covered++;
			expect(covered).toBeGreaterThan(0);
			expect(covered).toBeLessThanOrEqual(areas[i]);
		}
		const planned = gaussianRendererBytes(device, cloud.count, foreseen, { width: size, height: size });
		expect(device.memory.peakBytes - before).toBeLessThanOrEqual(planned);
	} finally {
		renderer.destroy();
	}
});

it("bounds a small figure's pictures to its surroundings, and a camera among the Gaussians to the whole picture", () => {
	const tiny = { ...randomCloud(50, 1, 0.05), scales: new Float32Array(150).fill(0.001) };
	const [camera] = bakeViews(1).slice(5);
	expect(mostCoveredPixels(tiny, 1000, [camera])[0]).toBeLessThan(0.05 * 1000 * 1000);
	const around = { ...tiny, positions: tiny.positions.map((value) => value * 60) };
	expect(mostCoveredPixels(around, 100, [camera])).toEqual([10_000]);
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { type PinholeCamera, sphereCamera } from "../../engine/splat/cameras.ts";
import { type GaussianPicture, openGaussianRenderer, renderGaussians, truncatedColors } from "../../engine/splat/renderGaussians.ts";
import { adapters } from "../../runners/parity/adapters/splat.ts";
import { nmse, testDevice } from "../support/gpu.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";
import { randomCloud } from "../support/randomCloud.ts";
import { splatReference } from "../support/splatReference.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const camera = sphereCamera({ yaw: 0.7, pitch: 0.3 }, 2, 0.7);
/** The camera moved to its left. */
const lookingAside = (distance: number): PinholeCamera => ({
	...camera,
	extrinsics: camera.extrinsics.map((value, i) => (i === 3 ? value + distance : value)),
});
const beyond = (a: Float32Array, b: ArrayLike<number>, level: number) => a.filter((value, i) => Math.abs(value - b[i]) > level).length;

/** At most `flips` pixels off where a rounding decides whether a Gaussian counts. */
function expectPicture(picture: GaussianPicture, expected: ReturnType<typeof splatReference>, flips: number): void {
	for (const part of ["color", "alpha", "depth"] as const) {
		expect(nmse(picture[part], expected[part]), part).toBeLessThan(1e-6);
		expect(beyond(picture[part], expected[part], 1e-3), part).toBeLessThanOrEqual(part === "color" ? 3 * flips : flips);
	}
}

describe("renderGaussians", () => {
	it("agrees with the official renderer", async () => {
		expect(failures(await runParityFixture("gaussian_render", adapters.gaussian_render, "f32"))).toEqual([]);
	});

	it("draws colour, alpha and depth over a background, on sides that are no whole tiles", async () => {
		const options = { width: 45, height: 23, background: [0.2, 0.4, 0.9] as const, kernelSize: 0.3 };
		const cloud = randomCloud(150, 11);
		const picture = await renderGaussians(device, cloud, camera, options);
		expectPicture(picture, splatReference(cloud, camera, options), 2);
		expect(picture.alpha.some((value) => value > 0.5)).toBe(true);
		expect(picture.alpha.some((value) => value === 0)).toBe(true);
	});

	it("goes through many Gaussians of a tile in batches, ends opaque pixels, and draws nothing behind the camera", async () => {
		const options = { width: 16, height: 16 };
		const cloud = randomCloud(700, 3, 0.3);
		const inside: PinholeCamera = sphereCamera({ yaw: 1, pitch: 0 }, 0.25, 0.7);
		const scales = cloud.scales.map((value) => value * 4);
		const drawn = { ...cloud, scales };
		for (const from of [camera, inside])
			expectPicture(await renderGaussians(device, drawn, from, options), splatReference(drawn, from, options), 3);
	});

	it("gives the same bytes twice, and views after one another as views alone", async () => {
		const cloud = randomCloud(800, 21);
		const aside = lookingAside(1.05);
		const renderer = await openGaussianRenderer(device, cloud, { width: 64, height: 64 });
		try {
			const fewer = await renderer.render(aside);
			const first = await renderer.read();
			// More pairs than there was room for, then fewer than there is.
			const more = await renderer.render(camera);
			expect(more).toBeGreaterThan(Math.max(1024, fewer * 1.25));
			expect(await renderer.read()).toEqual(await renderGaussians(device, cloud, camera, { width: 64, height: 64 }));
			await renderer.render(aside);
			expect(await renderer.read()).toEqual(first);
		} finally {
			renderer.destroy();
		}
	});

	it("shows the background where no Gaussian is seen", async () => {
		const picture = await renderGaussians(device, randomCloud(3, 1), lookingAside(3), { width: 17, height: 2, background: [1, 0.5, 0] });
		expect(picture.color.every((value, i) => value === [1, 0.5, 0][i % 3])).toBe(true);
		expect([...picture.alpha, ...picture.depth].every((value) => value === 0)).toBe(true);
	});

	it("refuses what does not fit, with the numbers, and frees everything", async () => {
		const before = device.memory.currentBytes;
		const cloud = randomCloud(1100, 2, 0.05);
		const big = { ...cloud, scales: cloud.scales.map((value) => value + 2) };
		const options = { width: 64, height: 64 };
		const left = (bytes: number) => ({ ...options, maxMemory: before + bytes });
		await expect(renderGaussians(device, big, camera, left(1e5))).rejects.toMatchObject({
			code: "memory",
			message: expect.stringContaining("1100 Gaussians on 64 x 64 pixels need 239104 bytes, more than the 100000 left"),
		});
		await expect(renderGaussians(device, big, camera, left(4.2e5))).rejects.toMatchObject({
			code: "memory",
			message: expect.stringMatching(/64 x 64 pixels make 17600 pairs of tile and Gaussian, which need \d+ bytes/),
		});
		const narrow = await testDevice({ maxBindingBytes: 65536 });
		await expect(renderGaussians(narrow, big, camera, options)).rejects.toMatchObject({
			code: "memory",
			message: expect.stringContaining("17600 pairs of tile and Gaussian, more than the 16384 that this adapter can bind"),
		});
		await expect(renderGaussians(device, big, camera, { width: 0, height: 4 })).rejects.toThrow("got 0 x 4");
		expect(device.memory.currentBytes).toBe(before);
	});
});

it("drops the fractions of bytes", () => {
	expect([...truncatedColors(Float32Array.of(-1, 0, 0.999, 1, 7, 128 / 255))]).toEqual([0, 0, 254, 255, 255, 128]);
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { type GaussianHead, gaussianParameters } from "../../../engine/kernels/splat/gaussianParameters.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const head: GaussianHead = {
	gaussians: 5,
	voxelSize: 1.5,
	resolution: 64,
	rates: { position: 1, color: 0.5, scaling: 0.8, rotation: 0.1, opacity: 2 },
	scalingBias: 4e-3,
	opacityBias: 0.1,
	smallestScale: 9e-4,
};

/** Raw and activated parameters in f64. */
function reference(features: ArrayLike<number>, coords: Int32Array, offsets: ArrayLike<number>): [raw: number[], activated: number[]] {
	const raw: number[] = [];
	const activated: number[] = [];
	const { gaussians, rates } = head;
	for (let voxel = 0; voxel < coords.length / 4; voxel++) {
		const part = (first: number, width: number, gaussian: number, rate: number) =>
			Array.from({ length: width }, (_, i) => features[voxel * 14 * gaussians + first * gaussians + gaussian * width + i] * rate);
		for (let gaussian = 0; gaussian < gaussians; gaussian++) {
			const position = part(0, 3, gaussian, rates.position).map(
				(v, axis) => (coords[voxel * 4 + 1 + axis] + 0.5) / 64 + (Math.tanh(v + offsets[gaussian * 3 + axis]) / 64) * 0.75,
			);
			const color = part(3, 3, gaussian, rates.color);
			const scaling = part(6, 3, gaussian, rates.scaling);
			const rotation = part(9, 4, gaussian, rates.rotation);
			const [opacity] = part(13, 1, gaussian, rates.opacity);
			raw.push(...position, ...color, ...scaling, ...rotation, opacity);
			const scale = scaling.map((v) => Math.hypot(Math.log1p(Math.exp(v + Math.log(Math.expm1(head.scalingBias)))), head.smallestScale));
			const turned = rotation.map((v, i) => v + (i === 0 ? 1 : 0));
			const length = Math.hypot(...turned);
			activated.push(
				...position.map((v) => v - 0.5),
				...color,
				...scale,
				...turned.map((v) => v / length),
				1 / (1 + Math.exp(-opacity) * 9),
			);
		}
	}
	return [raw, activated];
}

describe("gaussianParameters", () => {
	const voxels = 37;
	const features = randomValues(voxels * 14 * head.gaussians, 1, 9);
	const coords = Int32Array.from(randomValues(voxels * 4, 2), (v) => Math.floor((v + 1) * 32));
	const offsets = randomValues(head.gaussians * 3, 3, 2);
	const run = (on: Device) =>
		runGraph(on, (graph) => {
			const { raw, activated } = gaussianParameters(graph, {
				features: residentTensor(on, "features", "f32", [voxels, 14 * head.gaussians], features),
				coords: residentTensor(on, "coords", "i32", [voxels, 4], coords),
				offsets: residentTensor(on, "offsets", "f32", [head.gaussians, 3], offsets),
				head,
			});
			return [raw, activated];
		});

	it("gives positions, colours, scales, rotations and opacities, raw and activated", async () => {
		const [raw, activated] = await run(device);
		const [expectedRaw, expectedActivated] = reference(features, coords, offsets);
		expect(nmse(raw, expectedRaw)).toBeLessThan(1e-13);
		for (const [first, width] of [
			[0, 3],
			[3, 3],
			[6, 3],
			[9, 4],
			[13, 1],
		]) {
			const columns = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => i % 14 >= first && i % 14 < first + width);
			expect(nmse(columns(activated), columns(expectedActivated)), `columns ${first}`).toBeLessThan(1e-12);
		}
	});

	it("works through windows of voxels", async () => {
		expect(await run(await testDevice({ maxBindingBytes: 9216 }))).toEqual(await run(device));
	});

	it("stays finite far out", async () => {
		const far = Float32Array.from({ length: 14 * head.gaussians }, (_, i) => (i % 2 === 0 ? 3e4 : -3e4));
		const [raw, activated] = await runGraph(device, (graph) => {
			const tensors = gaussianParameters(graph, {
				features: residentTensor(device, "features", "f32", [1, 14 * head.gaussians], far),
				coords: residentTensor(device, "coords", "i32", [1, 4], Int32Array.of(0, 1, 2, 3)),
				offsets: residentTensor(device, "offsets", "f32", [head.gaussians, 3], offsets),
				head,
			});
			return [tensors.raw, tensors.activated];
		});
		expect([...raw, ...activated].every(Number.isFinite)).toBe(true);
	});
});

import { beforeAll, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { readTensor, residentTensor } from "../../../engine/gpu/transfer.ts";
import { textureAdam } from "../../../engine/kernels/mesh/textureAdam.ts";
import { texturePyramid } from "../../../engine/kernels/mesh/texturePyramid.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

it.each([
	[8, 8],
	[1, 6],
	[5, 1],
])("makes one step on a texture of %i x %i", async (width, height) => {
	const count = width * height * 3;
	const image = randomValues(count, 1);
	image[3] = image[0]; // equal neighbours: sign 0
	const gradient = randomValues(count, 2, 1e-3);
	gradient[4] = 0;
	const [first, second] = [randomValues(count, 3, 1e-3), randomValues(count, 4, 1e-6).map(Math.abs)];
	const options = { totalVariation: 0.01, beta1: 0.5, beta2: 0.9, epsilon: 1e-8, stepSize: 0.013, rootCorrection: 0.6 };
	const shape = [height, width, 3];
	const states = [first, second].map((values, k) => residentTensor(device, `moment ${k}`, "f32", shape, values));
	const target = residentTensor(device, "image", "f32", shape, image);
	const [result] = await runGraph(device, (graph) => {
		const pyramid = texturePyramid(graph, residentTensor(device, "before", "f32", shape, image));
		const values = residentTensor(device, "gradient", "f32", shape, gradient);
		textureAdam(graph, { pyramid, gradient: values, firstMoment: states[0], secondMoment: states[1], image: target, ...options });
		return target;
	});
	const expected = { image: [] as number[], first: [] as number[], second: [] as number[] };
	for (let i = 0; i < count; i++) {
		const texel = Math.floor(i / 3);
		const [y, x] = [Math.floor(texel / width), texel % width];
		const sign = (step: number, inside: boolean) => (inside ? Math.sign(image[i] - image[i + step * 3]) : 0);
		let g = gradient[i];
		if (height > 1) g += (0.01 * (sign(-width, y > 0) + sign(width, y < height - 1))) / ((height - 1) * width * 3);
		if (width > 1) g += (0.01 * (sign(-1, x > 0) + sign(1, x < width - 1))) / (height * (width - 1) * 3);
		const m = 0.5 * first[i] + 0.5 * g;
		const v = 0.9 * second[i] + 0.1 * g * g;
		expected.first.push(m);
		expected.second.push(v);
		expected.image.push(image[i] - (0.013 * m) / (Math.sqrt(v) / 0.6 + 1e-8));
	}
	expect(nmse(result, expected.image)).toBeLessThan(1e-13);
	expect(nmse(await readTensor(device, states[0]), expected.first)).toBeLessThan(1e-13);
	expect(nmse(await readTensor(device, states[1]), expected.second)).toBeLessThan(1e-13);
});

it("leaves a texture without gradient where it is", async () => {
	const image = new Float32Array(4 * 4 * 3).fill(0.25);
	const zeros = () => residentTensor(device, "zeros", "f32", [4, 4, 3]);
	const target = zeros();
	const [result] = await runGraph(device, (graph) => {
		const pyramid = texturePyramid(graph, residentTensor(device, "before", "f32", [4, 4, 3], image));
		textureAdam(graph, {
			pyramid,
			gradient: zeros(),
			firstMoment: zeros(),
			secondMoment: zeros(),
			image: target,
			totalVariation: 0.01,
			beta1: 0.5,
			beta2: 0.9,
			epsilon: 1e-8,
			stepSize: 0.02,
			rootCorrection: Math.sqrt(0.1),
		});
		return target;
	});
	expect(result).toEqual(image);
});

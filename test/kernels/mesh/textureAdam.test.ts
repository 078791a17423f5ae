import { beforeAll, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { readTensor, residentTensor } from "../../../engine/gpu/transfer.ts";
import { textureAdam } from "../../../engine/kernels/mesh/textureAdam.ts";
import { texturePyramid } from "../../../engine/kernels/mesh/texturePyramid.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

const { fround } = Math;

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

it.each([
	[8, 8],
	[1, 6],
	[5, 1],
	[96, 80],
])("makes one step on a texture of %i x %i, as IEEE 754 rounds it", async (width, height) => {
	const count = width * height * 3;
	const image = randomValues(count, 1);
	image[3] = image[0]; // equal neighbours: sign 0
	const gradient = randomValues(count, 2, 1e-3);
	gradient[4] = 0;
	const first = randomValues(count, 3, 1e-3);
	const second = randomValues(count, 4).map((value, i) => fround(Math.abs(value) * 10 ** (-4 - (i % 9))));
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
	const expected = stepInFloat32({ image, gradient, first, second, width, height });
	expect(result).toEqual(expected.image);
	expect(await readTensor(device, states[0])).toEqual(expected.first);
	expect(await readTensor(device, states[1])).toEqual(expected.second);
});

/** One step in float32, every operation rounded by itself but second moment's product and sum, as torch computes it on a CPU. */
function stepInFloat32(before: {
	readonly image: Float32Array;
	readonly gradient: Float32Array;
	readonly first: Float32Array;
	readonly second: Float32Array;
	readonly width: number;
	readonly height: number;
}) {
	const { image, gradient, width, height } = before;
	const after = { image: image.slice(), first: image.slice(), second: image.slice() };
	const row = width * 3;
	const rowWeight = fround(fround(0.01) / ((height - 1) * row));
	const columnWeight = fround(fround(0.01) / (height * (width - 1) * 3));
	for (let i = 0; i < image.length; i++) {
		let g = 0;
		if (i % row >= 3) g = fround(g + columnWeight * Math.sign(image[i] - image[i - 3]));
		if ((i % row) + 3 < row) g = fround(g - columnWeight * Math.sign(image[i + 3] - image[i]));
		if (i >= row) g = fround(g + rowWeight * Math.sign(image[i] - image[i - row]));
		if (i + row < image.length) g = fround(g - rowWeight * Math.sign(image[i + row] - image[i]));
		g = fround(g + gradient[i]);
		const first = fround(fround(0.5 * before.first[i]) + fround(0.5 * g));
		const second = fround(fround(fround(0.1) * g) * g + fround(fround(0.9) * before.second[i])); // the product is exact in float64
		const root = fround(fround(Math.sqrt(second)) / fround(0.6));
		after.first[i] = first;
		after.second[i] = second;
		after.image[i] = fround(image[i] - fround(fround(fround(0.013) * first) / fround(root + fround(1e-8))));
	}
	return after;
}

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

import { beforeAll, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { pyramidLevels, texturePyramid, texturePyramidGradient } from "../../../engine/kernels/mesh/texturePyramid.ts";
import { fixedPoint, textureSample, textureSampleGradient } from "../../../engine/kernels/mesh/textureSample.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

interface Level {
	readonly width: number;
	readonly height: number;
	readonly values: number[];
}

/** Levels in f64 by the definition: boxes of 2 x 2, 1 x 2 or 2 x 1 until a side is odd. */
function referenceLevels(image: ArrayLike<number>, width: number, height: number): Level[] {
	const levels: Level[] = [{ width, height, values: Array.from(image) }];
	for (;;) {
		const from = levels[levels.length - 1];
		if ((from.width === 1 && from.height === 1) || (from.width > 1 && from.width % 2 === 1) || (from.height > 1 && from.height % 2 === 1))
			return levels;
		const [fx, fy] = [from.width > 1 ? 2 : 1, from.height > 1 ? 2 : 1];
		const [w, h] = [from.width / fx, from.height / fy];
		const values = Array.from({ length: w * h * 3 }, (_, i) => {
			const [texel, c] = [Math.floor(i / 3), i % 3];
			const [y, x] = [Math.floor(texel / w), texel % w];
			let sum = 0;
			for (let dy = 0; dy < fy; dy++)
				for (let dx = 0; dx < fx; dx++) sum += from.values[((y * fy + dy) * from.width + x * fx + dx) * 3 + c];
			return sum / (fx * fy);
		});
		levels.push({ width: w, height: h, values });
	}
}

/** Texels and weights of one lookup in f64. */
function taps({ width, height }: Level, u: number, v: number): [texel: number, weight: number][] {
	const [x, y] = [(u - Math.floor(u)) * width - 0.5, (v - Math.floor(v)) * height - 0.5];
	const [left, low] = [Math.floor(x), Math.floor(y)];
	const wrap = (i: number, size: number) => ((i % size) + size) % size;
	return [0, 1, 2, 3].map((corner) => {
		const [dx, dy] = [corner & 1, corner >> 1];
		const weight = (dx === 1 ? x - left : 1 - x + left) * (dy === 1 ? y - low : 1 - y + low);
		return [wrap(low + dy, height) * width + wrap(left + dx, width), weight];
	});
}

/** Values [n, 3] and the gradient [height, width, 3] of sum(values * upstream), in f64. */
function reference(image: ArrayLike<number>, width: number, height: number, samples: Float32Array, upstream: ArrayLike<number>) {
	const levels = referenceLevels(image, width, height);
	const gradients = levels.map((level) => new Float64Array(level.values.length));
	const values: number[] = [];
	for (let n = 0; n * 4 < samples.length; n++) {
		const [u, v, level] = samples.subarray(n * 4, n * 4 + 3);
		const lower = Math.floor(level);
		const sum = [0, 0, 0];
		for (const [index, share] of [
			[lower, 1 - (level - lower)],
			[Math.min(lower + 1, levels.length - 1), level - lower],
		]) {
			for (const [texel, weight] of taps(levels[index], u, v)) {
				for (let c = 0; c < 3; c++) {
					sum[c] += share * weight * levels[index].values[texel * 3 + c];
					gradients[index][texel * 3 + c] += share * weight * upstream[n * 3 + c];
				}
			}
		}
		values.push(...sum);
	}
	const gradient = Array.from({ length: width * height * 3 }, (_, i) => {
		const [texel, c] = [Math.floor(i / 3), i % 3];
		const [y, x] = [Math.floor(texel / width), texel % width];
		return levels.reduce((total, level, l) => {
			const [fx, fy] = [width / level.width, height / level.height];
			return total + gradients[l][(Math.floor(y / fy) * level.width + Math.floor(x / fx)) * 3 + c] / (fx * fy);
		}, 0);
	});
	return { levels, values, gradient };
}

function lookups(count: number, levelCount: number): Uint32Array<ArrayBuffer> {
	const packed = new Uint32Array(count * 4);
	const random = randomValues(count * 3, 5);
	for (let n = 0; n < count; n++) {
		const level = Math.min(Math.max(0, (random[n * 3 + 2] * 0.6 + 0.3) * levelCount), levelCount - 1);
		new Float32Array(packed.buffer).set([random[n * 3] * 1.5, random[n * 3 + 1] * 1.5, n % 5 === 0 ? 0 : level], n * 4);
		packed[n * 4 + 3] = Math.imul(n + 1, 0x9e3779b1) >>> 8;
	}
	// Uncovered pixels look up (0, 0) at level 0; u = -tiny wraps to the last half texel.
	packed.fill(0, 0, Math.ceil(count / 3) * 4);
	if (count > 4) new Float32Array(packed.buffer).set([-1e-9, 1, levelCount - 1], 16);
	return packed;
}

it("halves sides down to one texel, or until one is odd", () => {
	const sizes = (width: number, height: number) =>
		pyramidLevels(width, height).map((level) => [level.width, level.height, level.firstTexel]);
	expect(sizes(4, 4)).toEqual([
		[4, 4, 0],
		[2, 2, 16],
		[1, 1, 20],
	]);
	expect(sizes(12, 6)).toEqual([
		[12, 6, 0],
		[6, 3, 72],
	]);
	expect(sizes(4, 1)).toEqual([
		[4, 1, 0],
		[2, 1, 4],
		[1, 1, 6],
	]);
	expect(pyramidLevels(4096, 4096).length).toBe(13);
});

it.each([
	[8, 8, 200],
	[1, 1, 5],
	[16, 4, 67],
	[12, 6, 64],
	[3, 5, 1],
	[32, 48, 400],
])("looks up and differentiates a texture of %i x %i at %i samples", async (width, height, count) => {
	const image = randomValues(width * height * 3, 1);
	const levelCount = pyramidLevels(width, height).length;
	const packed = lookups(count, levelCount);
	const upstream = randomValues(count * 3, 2);
	const { scale, fineScale, fineBits } = fixedPoint(count, count);
	const run = () =>
		runGraph(device, (graph) => {
			const pyramid = texturePyramid(graph, residentTensor(device, "image", "f32", [height, width, 3], image));
			const samples = residentTensor(device, "samples", "u32", [count, 4], packed);
			const value = textureSample(graph, pyramid, samples);
			const values = residentTensor(device, "upstream", "f32", [count, 3], upstream);
			textureSampleGradient(graph, pyramid, { samples, values, comparesColors: false, scale, fineScale });
			return [pyramid.values, value, texturePyramidGradient(graph, pyramid, { inverseScale: 1 / scale, fineBits })];
		});
	const [levels, values, gradient] = await run();
	const expected = reference(image, width, height, new Float32Array(packed.buffer), upstream);
	expect(
		nmse(
			levels,
			expected.levels.flatMap((level) => level.values),
		),
	).toBeLessThan(1e-13);
	expect(nmse(values, expected.values)).toBeLessThan(1e-11);
	expect(nmse(gradient, expected.gradient)).toBeLessThan(1e-11);
	expect((await run())[2]).toEqual(gradient);
});

it("makes many levels, and clears their gradient", async () => {
	const image = randomValues(256 * 256 * 3, 1);
	const [levels, gradient] = await runGraph(device, (graph) => {
		const pyramid = texturePyramid(graph, residentTensor(device, "image", "f32", [256, 256, 3], image));
		return [pyramid.values, texturePyramidGradient(graph, pyramid, { inverseScale: 1, fineBits: 12 })];
	});
	const expected = referenceLevels(image, 256, 256);
	let first = 0;
	for (const { values } of expected) {
		expect(nmse(levels.subarray(first, first + values.length), values)).toBeLessThan(1e-13);
		first += values.length;
	}
	expect(first).toBe(levels.length);
	expect(gradient.every((value) => value === 0)).toBe(true);
});

it("takes the sign of the difference from the samples' colours, and only the first samples", async () => {
	const [width, height, count, used] = [4, 4, 130, 100];
	const image = randomValues(width * height * 3, 3, 0.5).map((value) => value + 0.5);
	const packed = lookups(count, 3);
	const weight = Math.fround(1 / (used * 3));
	const { scale, fineScale, fineBits } = fixedPoint(used, used * weight);
	const [values, gradient] = await runGraph(device, (graph) => {
		const pyramid = texturePyramid(graph, residentTensor(device, "image", "f32", [height, width, 3], image));
		const samples = residentTensor(device, "samples", "u32", [count, 4], packed);
		const sampled = textureSample(graph, pyramid, samples, used);
		textureSampleGradient(graph, pyramid, { samples, values: sampled, comparesColors: true, weight, scale, fineScale, count: used });
		return [sampled, texturePyramidGradient(graph, pyramid, { inverseScale: 1 / scale, fineBits })];
	});
	const upstream = Float64Array.from({ length: used * 3 }, (_, i) => {
		const color = ((packed[Math.floor(i / 3) * 4 + 3] >> (8 * (i % 3))) & 255) / 255;
		return Math.sign(values[i] - color) * weight;
	});
	const expected = reference(image, width, height, new Float32Array(packed.buffer, 0, used * 4), upstream);
	expect(nmse(values.subarray(0, used * 3), expected.values)).toBeLessThan(1e-11);
	expect(nmse(gradient, expected.gradient)).toBeLessThan(1e-11);
});

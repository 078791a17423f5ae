import { describe, expect, test } from "vitest";
import { fixedLaunchLayout, philox4x32, TorchCudaGenerator } from "../../engine/random/philox.ts";

describe("Philox", () => {
	test("the known answers of the Random123 distribution", () => {
		const out = new Uint32Array(4);
		philox4x32(0, 0, 0, out);
		expect([...out]).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
	});

	test("the values torch gives on an H200 in float16 (goldens stage1/rng)", () => {
		const generator = new TorchCudaGenerator(43);
		const unused = generator.normals(10 * 1024, "f16");
		const latents = generator.normals(10 * 4 * 96 * 96, "f16");
		expect([...unused.slice(-4)]).toEqual([-0.8408203125, 1.2685546875, 0.09185791015625, 1.4580078125]);
		expect([...latents.slice(-4)]).toEqual([0.27783203125, 0.268310546875, 2.05078125, 0.99755859375]);
		const direct = new TorchCudaGenerator(43).normals(10 * 4 * 96 * 96, "f16");
		expect([...direct.slice(-4)]).toEqual([2.048828125, 1.412109375, -0.63720703125, -1.4951171875]);
	});

	test("the values torch gives on an H200 in float32, to what its logarithm leaves", () => {
		const generator = new TorchCudaGenerator(1);
		generator.normals(10 * 1024, "f32");
		const expected = [
			-0.633983850479126, -0.64313143491745, -0.6420136094093323, -1.4471009969711304, 0.4446769952774048, -0.6072622537612915,
			-0.8870127201080322, -0.9482722878456116,
		];
		generator
			.normals(5_003, "f32")
			.slice(0, 8)
			.forEach((value, i) => {
				// 2 ulp of numbers from 0.25 to 2.
				expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(2 * 2 ** (Math.floor(Math.log2(Math.abs(expected[i]))) - 23));
			});
	});

	test("a card of another size gives other numbers beyond its first round", () => {
		const small = { multiprocessors: 2, threadsPerMultiprocessor: 1024 };
		const [a, b] = [fixedLaunchLayout, small].map((layout) => new TorchCudaGenerator(1, layout).normals(10_000, "f32"));
		expect(a.slice(0, 2048)).toEqual(b.slice(0, 2048));
		expect(a.slice(2048, 4096)).not.toEqual(b.slice(2048, 4096));
		expect(b.every((value) => Number.isFinite(value))).toBe(true);
	});

	test("mean and deviation", () => {
		const values = new TorchCudaGenerator(7).normals(200_000, "f32");
		const mean = values.reduce((total, value) => total + value, 0) / values.length;
		const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
		expect(Math.abs(mean)).toBeLessThan(0.01);
		expect(Math.abs(variance - 1)).toBeLessThan(0.02);
	});
});

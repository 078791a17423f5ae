import { describe, expect, test } from "vitest";
import type { Bound } from "../../../runners/parity/bounds.ts";
import { compareValues, compareVoxels, linspaceRows, pickStored } from "../../../runners/parity/compare.ts";

const counting = (...shape: number[]) => ({ shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i) });

describe("pickStored", () => {
	test("strided samples of the flat array", () => {
		const picked = pickStored(counting(3, 4), counting(5), { sample: { count: 5, stride: 5 }, shape: [3, 4] });
		expect(picked).toMatchObject({ data: Float64Array.of(0, 5, 10, 3, 8) });
		expect(pickStored(counting(3, 3), counting(5), { sample: { count: 5, stride: 5 }, shape: [3, 4] })).toContain("[3,4]");
	});

	test("rows, evenly spread", () => {
		expect(pickStored(counting(5, 2), counting(3, 2), {})).toMatchObject({ data: Float64Array.of(0, 1, 4, 5, 8, 9) });
	});

	test("shapes may differ by ones, and by nothing else", () => {
		expect(pickStored(counting(4, 3), counting(1, 4, 1, 3), {})).toMatchObject({ shape: [4, 3] });
		expect(pickStored(counting(3, 4), counting(4, 3), {})).toContain("must be");
		expect(pickStored(counting(2, 3), counting(4, 3), {})).toContain("must be");
		expect(pickStored({ shape: [9], data: new Float32Array(3) }, counting(9), {})).toContain("holds 3 values");
	});
});

describe("linspaceRows", () => {
	test("is torch's float32 linspace, rounded half to even", () => {
		const rows = linspaceRows(69160, 1024);
		expect([rows[0], rows[317], rows[999], rows[1023]]).toEqual([0, 21430, 67536, 69159]);
	});
});

describe("compareValues", () => {
	const golden = Float32Array.of(1, 2, -2, 4);
	const passes = (values: number[], bound: Bound) => compareValues(Float32Array.from(values), golden, bound).passed;

	test("NMSE, the largest error and where it is", () => {
		const result = compareValues(Float32Array.of(1, 2.5, -2, 4.5), golden, { kind: "nmse", nmse: 0.02 });
		expect(result).toMatchObject({ passed: true, nmse: 0.5 / 25, maxError: 0.5, maxErrorIndex: 1, atMax: [2.5, 2] });
		expect(passes([1, 2.5, -2, 4.5], { kind: "nmse", nmse: 0.019 })).toBe(false);
		expect(passes([1, 2.5, -2, 4.5], { kind: "nmse", nmse: 1, absolute: 0.4 })).toBe(false);
		expect(passes([1, 2.5, -2, 4.5], { kind: "relative", relative: 0.15 })).toBe(true);
	});

	test("exact, absolute and ulps", () => {
		const near = [1, 2 + 2 ** -22, -2, 4];
		expect(passes([1, 2, -2, 4], { kind: "exact" })).toBe(true);
		expect(passes(near, { kind: "exact" })).toBe(false);
		expect(passes(near, { kind: "absolute", absolute: 1e-6 })).toBe(true);
		expect(passes(near, { kind: "ulp", format: "f32", ulps: 1, absolute: 0 })).toBe(true);
		expect(passes([1, 2 + 2 ** -21, -2, 4], { kind: "ulp", format: "f32", ulps: 1, absolute: 0 })).toBe(false);
		expect(passes([1, 2 + 2 ** -9, -2, 4], { kind: "ulp", format: "f16", ulps: 1, absolute: 0 })).toBe(true);
	});

	test("pictures may have a few values far off", () => {
		const values = [1, 2, -1.5, 4];
		expect(passes(values, { kind: "picture", nmse: 0.02, level: 0.1, share: 0.25 })).toBe(true);
		expect(passes(values, { kind: "picture", nmse: 0.02, level: 0.1, share: 0.24 })).toBe(false);
		expect(passes(values, { kind: "picture", nmse: 0.009, level: 0.1, share: 1 })).toBe(false);
	});

	test("decibels are measured against the peak", () => {
		const values = [1.01, 2, -2, 4]; // mean square error 2.5e-5: 46 dB below a peak of 1
		expect(passes(values, { kind: "psnr", decibels: 46, peak: 1 })).toBe(true);
		expect(passes(values, { kind: "psnr", decibels: 46.1, peak: 1 })).toBe(false);
		expect(passes([1, 2, -2, 4], { kind: "psnr", decibels: 300, peak: 1 })).toBe(true);
	});

	test("a NaN fails and is named by its index", () => {
		const result = compareValues(Float32Array.of(1, 2, Number.NaN, 4), golden, { kind: "nmse", nmse: 1e9 });
		expect(result).toMatchObject({ passed: false, maxErrorIndex: 2 });
		expect(result.problem).toContain("index 2");
	});
});

describe("compareVoxels", () => {
	const golden = Float32Array.of(5, -5, 0.0005, -0.05);
	test("only where the golden's logit is next to nothing may voxels differ", () => {
		expect(compareVoxels(Float32Array.of(1, -1, 1, -1), golden, "f32")).toEqual({ passed: true, differing: 0, largestLogit: 0 });
		expect(compareVoxels(Float32Array.of(1, -1, -1, -1), golden, "f32").passed).toBe(true);
		expect(compareVoxels(Float32Array.of(1, -1, 1, 1), golden, "f32").passed).toBe(false);
		expect(compareVoxels(Float32Array.of(1, -1, 1, 1), golden, "f16").passed).toBe(false);
	});
});

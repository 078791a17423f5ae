import { describe, expect, it } from "vitest";
import { ceilingsOf, rooflineSvg } from "../../../runners/bench/roofline.ts";

describe("rooflineSvg", () => {
	const rows = [
		{ name: "dense/matmul", shape: "<a> & b", calls: 1, elapsedMs: 1, flops: 4e11, bytes: 1e9 },
		{ name: "dense/attention", shape: "c", calls: 1, elapsedMs: 3, flops: 3e11, bytes: 1e9 },
		{ name: "dense/layerNorm", calls: 1, elapsedMs: 9, bytes: 1e9 },
	];

	it("has a point for every kernel that computes, inside the picture, larger the longer it takes", () => {
		const svg = rooflineSvg(rows, "a card", { teraflops: 625, terabytes: 4.3 });
		const circles = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"[^>]*><title>([^<]*)/g)];
		expect(circles.map(([, , , , title]) => title)).toEqual([
			"dense/attention c: 100.0 TFLOP/s, 333 GB/s, 75.0 %",
			"dense/matmul &lt;a&gt; &amp; b: 400.0 TFLOP/s, 1000 GB/s, 25.0 %",
		]);
		for (const [, x, y] of circles) {
			expect(Number(x)).toBeGreaterThan(0);
			expect(Number(x)).toBeLessThan(760);
			expect(Number(y)).toBeGreaterThan(0);
			expect(Number(y)).toBeLessThan(440);
		}
		expect(Number(circles[0][2])).toBeGreaterThan(Number(circles[1][2]));
		expect(Number(circles[0][3])).toBeGreaterThan(Number(circles[1][3]));
		expect(svg).not.toMatch(/NaN|Infinity|undefined/);
	});

	it("knows the ceilings of measured cards only", () => {
		expect(ceilingsOf("nvidia-h200")).toEqual({ teraflops: 625, terabytes: 4.3 });
		expect(ceilingsOf("llvmpipe")).toBeUndefined();
	});
});

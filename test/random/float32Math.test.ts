import { describe, expect, test } from "vitest";
import { logFloat32, sinCosFloat32 } from "../../engine/random/float32Math.ts";
import { syntheticUniforms } from "../../engine/random/synthetic.ts";

describe("float32Math", () => {
	test("the logarithm is within 2 ulps, and exact at 1", () => {
		expect(logFloat32(1)).toBe(0);
		for (const u of syntheticUniforms("log", 20_000, 0)) {
			const x = Math.fround((u + 1) / 2 + 2 ** -25);
			const exact = Math.log(x);
			expect(Math.abs(logFloat32(x) - exact)).toBeLessThanOrEqual(2 * 2 ** (Math.floor(Math.log2(Math.abs(exact))) - 23));
		}
	});

	test("sine and cosine are within 2^-23 over a turn, with the right signs in every octant", () => {
		for (let i = 0; i <= 4096; i++) {
			const angle = Math.fround((i / 4096) * 2 * Math.PI);
			const [sine, cosine] = sinCosFloat32(angle);
			expect(Math.abs(sine - Math.sin(angle))).toBeLessThan(2 ** -23);
			expect(Math.abs(cosine - Math.cos(angle))).toBeLessThan(2 ** -23);
		}
	});
});

import { describe, expect, it } from "vitest";
import { denormalizedLatents } from "../../engine/stages/slatSampling.ts";
import { adapters } from "../../runners/parity/adapters/stage2Flow.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("slatSampling", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the latents of the official sampler in ${dtype}, guided inside its interval only`, async () => {
			expect(failures(await runParityFixture("slat_sampler", adapters.slat_sampler, dtype))).toEqual([]);
		});
	}
});

describe("denormalizedLatents", () => {
	it("rounds to float32 after the product and after the sum", () => {
		const [product, sum] = [Math.fround(Math.fround(0.3) * Math.fround(2.7)), Math.fround(-1.1)];
		expect([...denormalizedLatents(Float32Array.of(1, 0.3), [0, -1.1], [2, 2.7])]).toEqual([2, Math.fround(product + sum)]);
	});
});

import { describe, expect, it } from "vitest";
import { adapters } from "../../runners/parity/adapters/stage2Decoders.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("slatGaussianDecoder", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the Gaussians of the official network in ${dtype}`, async () => {
			expect(failures(await runParityFixture("slat_decoder_gs", adapters.slat_decoder_gs, dtype))).toEqual([]);
		});
	}
});

import { describe, expect, it } from "vitest";
import { adapters } from "../../runners/parity/adapters/stage2Sparse.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("sparseResBlock", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the numbers of the official module in ${dtype}: plain, pooling, upsampling and after a concatenation`, async () => {
			expect(failures(await runParityFixture("sparse_resblock", adapters.sparse_resblock, dtype))).toEqual([]);
		});
	}
});

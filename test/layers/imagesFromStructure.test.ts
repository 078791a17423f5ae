import { describe, expect, it } from "vitest";
import { adapters } from "../../runners/parity/adapters/crossSpaceBlocks.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("imagesFromStructure", () => {
	it.each(["f32", "f16"] as const)("agrees with the official module, %s", async (dtype) => {
		expect(failures(await runParityFixture("dual_cross_attention_mv", adapters.dual_cross_attention_mv, dtype))).toEqual([]);
	});
});

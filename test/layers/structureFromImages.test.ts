import { describe, expect, it } from "vitest";
import { adapters } from "../../runners/parity/adapters/crossSpaceBlocks.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("structureFromImages", () => {
	it.each(["f32", "f16"] as const)("agrees with the official module, %s", async (dtype) => {
		expect(failures(await runParityFixture("dual_cross_attention_ss", adapters.dual_cross_attention_ss, dtype))).toEqual([]);
	});
});

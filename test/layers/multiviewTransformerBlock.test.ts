import { describe, expect, it } from "vitest";
import { adapters } from "../../runners/parity/adapters/crossSpaceBlocks.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("the multi-view transformer", () => {
	it.each(["f32", "f16"] as const)("agrees with the official module, %s", async (dtype) => {
		expect(failures(await runParityFixture("mv_transformer_block", adapters.mv_transformer_block, dtype))).toEqual([]);
	});
});

import { describe, expect, it } from "vitest";
import { adapters } from "../../runners/parity/adapters/crossSpaceBlocks.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("dual cross attention", () => {
	it.each([
		["dual_cross_attention_ss", "f32"],
		["dual_cross_attention_ss", "f16"],
		["dual_cross_attention_mv", "f32"],
		["dual_cross_attention_mv", "f16"],
	] as const)("%s agrees with the official module, %s", async (name, dtype) => {
		expect(failures(await runParityFixture(name, adapters[name], dtype))).toEqual([]);
	});
});

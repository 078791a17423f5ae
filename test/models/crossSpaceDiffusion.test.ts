import { describe, expect, it } from "vitest";
import { adapters } from "../../runners/parity/adapters/crossSpace.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

describe("the 2D-3D network", () => {
	it.each(["f32", "f16"] as const)("agrees with the official module, %s", async (dtype) => {
		expect(failures(await runParityFixture("unet_2d3d", adapters.unet_2d3d, dtype))).toEqual([]);
	});
});

import { describe, expect, it } from "vitest";
import { readSlatFlowConfig } from "../../engine/models/slatFlow.ts";
import { adapters } from "../../runners/parity/adapters/stage2Flow.ts";
import { configOf } from "../../runners/parity/configOf.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

const released = {
	resolution: 64,
	in_channels: 8,
	out_channels: 8,
	model_channels: 1024,
	cond_channels: 1024,
	num_blocks: 24,
	num_heads: 16,
	mlp_ratio: 4,
	patch_size: 2,
	num_io_res_blocks: 2,
	io_block_channels: [128],
	pe_mode: "ape",
	qk_rms_norm: true,
};

describe("slatFlow", () => {
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the velocities of the official network in ${dtype}`, async () => {
			expect(failures(await runParityFixture("slat_flow", adapters.slat_flow, dtype))).toEqual([]);
		});
	}
});

describe("readSlatFlowConfig", () => {
	it("reads the released sizes", () => {
		const config = readSlatFlowConfig(configOf(released, "config.json"));
		expect(config).toMatchObject({ ioChannels: [128], ioBlocks: 2, blocks: 24, block: { channels: 1024, heads: 16, qkRmsNorm: true } });
	});

	for (const [change, message] of [
		[{ pe_mode: "rope" }, /config.json: pe_mode must be one of ape/],
		[{ share_mod: true }, /share_mod must be false/],
		[{ num_heads: 15 }, /num_heads must divide/],
		[{ patch_size: 4 }, /io_block_channels must have/],
		[{ num_blocks: null }, /num_blocks is missing/],
	] as const) {
		it(`refuses ${JSON.stringify(change)}`, () => {
			expect(() => readSlatFlowConfig(configOf({ ...released, ...change }, "config.json"))).toThrow(message);
		});
	}
});

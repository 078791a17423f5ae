import { describe, expect, it } from "vitest";
import type { StageTwoResult } from "../../../engine/stages/results.ts";
import { SyncHuman } from "../../../engine/synchuman.ts";
import { driverMemory, resultHash, soak, soakProblems, soakText } from "../../../runners/bench/soak.ts";
import { sampleStageOne } from "../../../runners/bench/stageRows.ts";
import { syntheticCheckpoint } from "../../../weights/syntheticCheckpoint.ts";
import { testDevice } from "../../support/gpu.ts";

const sample = (bufferBytes: number, driverBytes?: number, resultSha256 = "a") => ({
	bufferBytes,
	driverBytes,
	residentSetBytes: 1,
	resultSha256,
});

describe("soak", () => {
	it("finds no memory that stays after runs of stage 2, each with an engine of its own; staged weights give the same bytes", async () => {
		const device = await testDevice();
		const results: StageTwoResult[] = [];
		const samples = await soak(
			3,
			async (run) => {
				const memory = run === 0 ? {} : { maxMemory: Number.POSITIVE_INFINITY };
				const engine = await SyncHuman.open({ device, weights: syntheticCheckpoint("tiny"), ...memory });
				const result = await engine.stageTwo(sampleStageOne(), { stageTwoSteps: 1, textureSize: 0 });
				results.push(result);
				expect(device.memory.currentBytes > 0).toBe(run > 0);
				engine.close();
				return resultHash(result);
			},
			async () => sample(device.memory.currentBytes, await driverMemory()),
		);
		expect(samples.map(({ bufferBytes }) => bufferBytes)).toEqual([0, 0, 0]);
		expect(samples[0].resultSha256).toMatch(/^[0-9a-f]{64}$/);
		expect(soakProblems(samples)).toEqual([]);
		for (const result of results) expect(result).toEqual(results[0]);
	}, 300_000);

	it("judges buffers from the first run, the driver from the third", () => {
		expect(soakProblems([sample(5, 1e9), sample(5, 3e9), sample(5, 2e9), sample(5, 2.01e9)])).toEqual([]);
		expect(soakProblems([sample(5), sample(5), sample(5)])).toEqual([]);
		expect(soakProblems([sample(5), sample(6)])).toEqual(["after run 2 buffers have 6 bytes, after the first 5"]);
		expect(soakProblems([sample(5, 1), sample(5, 1, "b")])).toEqual(["run 2 gave other bytes than the first"]);
		expect(soakProblems([sample(0, 1e9), sample(0, 1e9), sample(0, 2e9), sample(0, 2.1e9)])).toEqual([
			"the driver holds 1.9 GiB to 2.0 GiB from run 3 on",
		]);
	});

	it("says what was held", () => {
		expect(soakText(0, sample(12, 2 ** 30))).toBe("run 1: 12 bytes in buffers, driver 1.0 GiB (1024 MiB), process 1 KiB, result a\n");
		expect(soakText(1, sample(0))).toMatch(/driver unknown/);
	});
});

import { afterEach, describe, expect, it } from "vitest";
import { imageOf } from "../engine/image/image.ts";
import type { MemoryPlan } from "../engine/stages/part.ts";
import { type OpenOptions, type RunOptions, SyncHuman } from "../engine/synchuman.ts";
import { sampleStageOne } from "../runners/bench/stageRows.ts";
import { syntheticCheckpoint } from "../weights/syntheticCheckpoint.ts";
import { testDevice } from "./support/gpu.ts";
import { failureOf } from "./support/hostile.ts";

const opened: SyncHuman[] = [];
afterEach(() => {
	for (const one of opened.splice(0)) one.close();
});

async function openTiny(more: Partial<OpenOptions> = {}): Promise<SyncHuman> {
	const one = await SyncHuman.open({ device: await testDevice(), weights: syntheticCheckpoint("tiny"), ...more });
	opened.push(one);
	return one;
}

/** What stage 2 gives, and what it planned. */
async function run(engine: SyncHuman, options: RunOptions = {}) {
	const plans: MemoryPlan[] = [];
	const result = await engine.stageTwo(sampleStageOne(), { stageTwoSteps: 1, onPlan: (plan) => plans.push(plan), ...options });
	return { result, plan: plans[0] };
}

describe("SyncHuman", () => {
	it("keeps weights where maxMemory holds them, uploads none for the second picture, and gives the same bytes as without", async () => {
		const device = await testDevice();
		const before = device.memory.currentBytes;
		const staged = await openTiny();
		const first = await run(staged);
		expect(first.plan.residentBytes).toBe(0);
		expect(device.memory.currentBytes).toBe(before);

		const resident = await openTiny({ maxMemory: 4e9 });
		for (let picture = 0; picture < 2; picture++) {
			const { result, plan } = await run(resident);
			expect(result).toEqual(first.result);
			expect(plan.peakBytes).toBe(plan.heldBytes + plan.residentBytes + Math.max(...plan.parts.map(({ bytes }) => bytes)));
			expect(device.memory.currentBytes - before).toBe(plan.residentBytes);
		}
		for (const { part, peakBytes, plannedBytes } of [...staged.measurements, ...resident.measurements]) {
			expect(peakBytes, part).toBeLessThanOrEqual(plannedBytes);
		}
		resident.close();
		expect(device.memory.currentBytes).toBe(before);

		const refused = await openTiny({ maxMemory: first.plan.peakBytes - 1 });
		expect(await failureOf(() => run(refused))).toMatchObject({ code: "memory", message: expect.stringMatching(/needs \d+ bytes/) });
		expect(device.memory.currentBytes).toBe(before);
	}, 120_000);

	it("leaves no measurement where warming up is stopped", async () => {
		const engine = await openTiny();
		const signal = AbortSignal.abort();
		expect(await failureOf(() => engine.warmUp({ signal }))).toMatchObject({ code: "aborted" });
		expect(engine.measurements).toEqual([]);
	});

	it("takes the bytes of a file where it is given what reads them", async () => {
		const seen: Uint8Array[] = [];
		const decode = async (bytes: Uint8Array) => {
			seen.push(bytes);
			return imageOf(2, 2, 4, new Uint8Array(16));
		};
		const controller = new AbortController();
		controller.abort();
		const engine = await openTiny({ decode });
		await failureOf(() => engine.generate(Uint8Array.of(1, 2), { signal: controller.signal }));
		expect(seen).toEqual([Uint8Array.of(1, 2)]);
		const without = await openTiny();
		expect(await failureOf(() => without.generate(Uint8Array.of(1)))).toMatchObject({ code: "input" });
	});
});

import { afterEach, describe, expect, it } from "vitest";
import { imageOf } from "../engine/image/image.ts";
import { type OpenOptions, SyncHuman } from "../engine/synchuman.ts";
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

describe("SyncHuman", () => {
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

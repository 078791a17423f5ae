import { expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import type { MemoryPlan } from "../../engine/stages/part.ts";
import { type RunOptions, SyncHuman } from "../../engine/synchuman.ts";
import { syntheticCheckpoint } from "../../weights/syntheticCheckpoint.ts";
import { testDevice } from "../support/gpu.ts";

// Nothing is run: a graph is refused while it is recorded.
it("the official sizes are planned where one binding shows 128 MiB, in f16 and f32", { timeout: 300_000 }, async () => {
	const device = await testDevice({ maxBindingBytes: 128 * 2 ** 20 });
	const view = imageOf(768, 768, 3, new Uint8Array(768 * 768 * 3));
	const five = [view, view, view, view, view];
	for (const dtype of ["f16", "f32"] as const) {
		const engine = await SyncHuman.open({ device, weights: syntheticCheckpoint("full"), dtype });
		const planned = new Error("planned");
		const plans: MemoryPlan[] = [];
		const options: RunOptions = {
			onPlan(plan) {
				plans.push(plan);
				throw planned;
			},
		};
		await expect(engine.stageOne(samplePerson(), options)).rejects.toBe(planned);
		const stageOne = { input: samplePerson(), colors: five, normals: five, coordinates: new Int32Array(4) };
		await expect(engine.stageTwo(stageOne, options)).rejects.toBe(planned);
		expect(plans.map(({ stage }) => stage)).toEqual(["stage 1", "stage 2"]);
		engine.close();
	}
});

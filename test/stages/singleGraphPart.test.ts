import { describe, expect, it } from "vitest";
import { elementwise } from "../../engine/kernels/dense/elementwise.ts";
import { bareContext, type PartContext, type Progress } from "../../engine/stages/part.ts";
import { singleGraphPart } from "../../engine/stages/singleGraphPart.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { testDevice } from "../support/gpu.ts";

describe("singleGraphPart", async () => {
	const device = await testDevice();

	/** x^3 of eight values. */
	function cube(options: { signal?: AbortSignal; onProgress?: (progress: Progress) => void } = {}, count = 8) {
		const context: PartContext = { ...bareContext(device), ...options };
		const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
		const part = singleGraphPart(context, "cube", { weights, model: undefined }, (graph) => {
			const input = graph.input("x", "f32", [count]);
			const square = elementwise(graph, { x: input, factor: input, label: "square" });
			return { input, output: elementwise(graph, { x: square, factor: input, label: "cube" }) };
		});
		return { ...part, context };
	}
	const filled = (value: number, count = 8) => new Float32Array(count).fill(value);

	it("gives the result of every value in order, and holds what was planned", async () => {
		const before = device.memory.currentBytes;
		const { run, context } = cube();
		expect(await run([1, 2, 3, 4, 5].map((value) => filled(value)))).toEqual([1, 8, 27, 64, 125].map((value) => filled(value)));
		const [{ plannedBytes, peakBytes }] = context.measurements;
		expect(peakBytes).toBeLessThanOrEqual(plannedBytes);
		expect(device.memory.currentBytes).toBe(before);
	});

	it("gives results that are read in several pieces", async () => {
		const count = 5 << 20;
		const [first, second] = await cube({}, count).run([filled(2, count), filled(3, count)]);
		expect([first[0], first[count - 1], second[0], second[count - 1]]).toEqual([8, 8, 27, 27]);
	});

	it("names the layer of a value that is not finite, with the next one on its way", async () => {
		const before = device.memory.currentBytes;
		await expect(cube().run([filled(1), filled(1e20), filled(2)])).rejects.toMatchObject({
			code: "device",
			message: expect.stringMatching(/^cube: the result is not finite; first in square/),
		});
		expect(device.memory.currentBytes).toBe(before);
	});

	it("stops between two values", async () => {
		const controller = new AbortController();
		const before = device.memory.currentBytes;
		const onProgress = ({ step }: Progress) => {
			if (step === 2) controller.abort();
		};
		const { run } = cube({ signal: controller.signal, onProgress });
		await expect(run([1, 2, 3, 4].map((value) => filled(value)))).rejects.toMatchObject({ code: "aborted" });
		expect(device.memory.currentBytes).toBe(before);
	});
});

import { afterAll, describe, expect, it } from "vitest";
import { createTensor } from "../../engine/gpu/tensor.ts";
import { allocate, release } from "../../engine/gpu/transfer.ts";
import { compileGraph } from "../../engine/graph/executable.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { elementwise } from "../../engine/kernels/dense/elementwise.ts";
import { flowEulerStep } from "../../engine/kernels/dense/flowEulerStep.ts";
import { runDenoisingSteps } from "../../engine/stages/denoisingSteps.ts";
import { bareContext } from "../../engine/stages/part.ts";
import { testDevice } from "../support/gpu.ts";

describe("runDenoisingSteps", async () => {
	const device = await testDevice();
	const tensor = createTensor("state", "f32", [8], "resident");
	allocate(device, tensor.storage);
	afterAll(() => release(device, tensor.storage));
	const graph = new Graph(device, "step");
	const square = elementwise(graph, { x: tensor, factor: tensor, label: "square" });
	flowEulerStep(graph, { x: tensor, conditional: { tensor: square }, dt: graph.scalar("timeStep", 0) });
	const executable = await compileGraph(graph);

	/** x <- x - dt x^2, over and over; what ran, in order. */
	function run(
		start: number,
		steps: readonly number[],
		{ signal, ahead }: { readonly signal?: AbortSignal; readonly ahead?: number } = {},
	) {
		const ran: number[] = [];
		const reports: (readonly number[])[] = [];
		/** Steps that had been submitted at each report. */
		const submitted: number[] = [];
		const result = runDenoisingSteps(
			{ ...bareContext(device), signal },
			(step, count) => {
				reports.push([step, count]);
				submitted.push(ran.length);
				// Whoever watches may stop a run.
				if (step === 2 && count === 40) throw new Error("enough");
			},
			{
				name: "squares",
				schedule: steps,
				state: [{ tensor, noise: new Float32Array(8).fill(start) }],
				...(ahead === undefined ? {} : { ahead }),
				async run(timeStep) {
					ran.push(timeStep);
					await executable.run({ timeStep });
					return executable;
				},
			},
		);
		return { result, ran, reports, submitted };
	}

	it("runs the steps in order, a step ahead of its reports, and gives the state", async () => {
		const { result, ran, reports } = run(0.5, [0.25, 0.5, 1]);
		let expected = 0.5;
		for (const dt of [0.25, 0.5, 1]) expected = Math.fround(expected - Math.fround(dt * Math.fround(expected * expected)));
		const [values] = await result;
		for (const value of values) expect(value).toBeCloseTo(expected, 6);
		expect(ran).toEqual([0.25, 0.5, 1]);
		expect(reports).toEqual([0, 1, 2, 3].map((step) => [step, 3]));
	});

	it.each([1, 2, 3, 7])("gives the same with %i steps ahead of its reports", async (ahead) => {
		const steps = [0.25, 0.5, 1, 0.125];
		const { result, ran, reports, submitted } = run(0.5, steps, { ahead });
		expect(await result).toEqual(await run(0.5, steps).result);
		expect(ran).toEqual(steps);
		expect(reports).toEqual([0, 1, 2, 3, 4].map((step) => [step, 4]));
		expect(submitted).toEqual([0, 1, 2, 3, 4].map((step) => Math.min(step + ahead, 4)));
	});

	it("repeats the steps up to the first that is not finite, and names the layer", async () => {
		const { result, ran } = run(1e15, [0, 1, 1, 1]);
		await expect(result).rejects.toMatchObject({
			code: "device",
			message: expect.stringMatching(/^squares: the result is not finite; first in square/),
		});
		expect(ran).toEqual([0, 1, 1, 1, 0, 1, 1]);
	});

	it("stops before the next step", async () => {
		const stopped = AbortSignal.abort();
		const { result, ran } = run(1, [1, 1], { signal: stopped });
		await expect(result).rejects.toMatchObject({ code: "aborted" });
		expect(ran).toEqual([]);
		const watched = run(1, new Array(40).fill(0));
		await expect(watched.result).rejects.toThrow("enough");
		expect(watched.ran).toHaveLength(3);
		await device.idle();
	});
});

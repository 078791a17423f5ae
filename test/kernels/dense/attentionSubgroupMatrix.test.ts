import { describe, expect, it } from "vitest";
import { Graph } from "../../../engine/graph/graph.ts";
import { hasSubgroupMatrices } from "../../../engine/kernels/dense/subgroupMatrix.ts";
import { attentionCases } from "../../support/attentionCases.ts";
import { nmse, runGraph, testDevice } from "../../support/gpu.ts";

describe("attention on subgroup matrices", () => {
	for (const { name, record } of attentionCases) {
		it(`gives the portable kernel's numbers: ${name}`, async (context) => {
			const device = await testDevice();
			if (!hasSubgroupMatrices(device.report)) context.skip();
			const graph = new Graph(device, "shaders");
			record(device, graph);
			expect(graph.dispatches.map(({ variant }) => variant.shader)).toEqual(["dense/attentionSubgroupMatrix"]);
			const portable = await testDevice({ disableSubgroupMatrix: true });
			const [[actual], [expected]] = [
				await runGraph(device, (graph) => record(device, graph)),
				await runGraph(portable, (graph) => record(portable, graph)),
			];
			// Softmax weights are f16: 2^-11 at most, at random.
			expect(nmse(actual, expected)).toBeLessThan(1e-6);
		});
	}

	it("is left alone on devices without them", async () => {
		const device = await testDevice({ disableSubgroupMatrix: true });
		if (!device.report.f16) return;
		for (const { record } of attentionCases) {
			const graph = new Graph(device, "shaders");
			record(device, graph);
			expect(graph.dispatches.map(({ variant }) => variant.shader)).toEqual(["dense/attention"]);
		}
	});
});

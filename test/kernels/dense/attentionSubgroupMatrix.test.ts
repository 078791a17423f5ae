import { describe, expect, it } from "vitest";
import { loadShader, registerShaders } from "../../../engine/gpu/shaderSource.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { hasSubgroupMatrices } from "../../../engine/kernels/dense/subgroupMatrix.ts";
import { attentionCases } from "../../support/attentionCases.ts";
import { nmse, runGraph, testDevice } from "../../support/gpu.ts";
import { emulateMatrices } from "../../support/matrixEmulation.ts";

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

	it("gives the portable kernel's numbers, matrices emulated", async (context) => {
		const portable = await testDevice();
		if (hasSubgroupMatrices(portable.report) || !portable.report.f16) context.skip();
		const name = "dense/attentionSubgroupMatrix";
		const text = loadShader(name);
		registerShaders({ [name]: emulateMatrices(text) });
		try {
			const report = { ...portable.report, subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
			const device = { ...portable, report };
			for (const { record } of attentionCases.filter(({ emulated }) => emulated)) {
				const [[actual], [expected]] = [
					await runGraph(device, (graph) => record(device, graph)),
					await runGraph(portable, (graph) => record(portable, graph)),
				];
				expect(nmse(actual, expected)).toBeLessThan(1e-6);
			}
		} finally {
			registerShaders({ [name]: text });
		}
	});

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

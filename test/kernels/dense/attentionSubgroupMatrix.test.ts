import { describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { loadShader, registerShaders } from "../../../engine/gpu/shaderSource.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { attention } from "../../../engine/kernels/dense/attention.ts";
import { hasSubgroupMatrices } from "../../../engine/kernels/dense/subgroupMatrix.ts";
import { type AttentionCase, attentionCases } from "../../support/attentionCases.ts";
import { nmse, runGraph, testDevice } from "../../support/gpu.ts";
import { emulateMatrices } from "../../support/matrixEmulation.ts";

const shadersInParts = ["dense/attentionKeyParts", "dense/attentionKeyPartsJoin"];

function shadersOf(device: Device, record: AttentionCase["record"]): readonly string[] {
	const graph = new Graph(device, "shaders");
	record(device, graph);
	return graph.dispatches.map(({ variant }) => variant.shader);
}

describe("attention on subgroup matrices", () => {
	for (const { name, record, inParts } of attentionCases) {
		it(`gives the portable kernel's numbers: ${name}`, async (context) => {
			const device = await testDevice();
			if (!hasSubgroupMatrices(device.report)) context.skip();
			expect(shadersOf(device, record)).toEqual(inParts ? shadersInParts : ["dense/attentionSubgroupMatrix"]);
			const portable = await testDevice({ disableSubgroupMatrix: true });
			const [[actual], [portableValues]] = [
				await runGraph(device, (graph) => record(device, graph)),
				await runGraph(portable, (graph) => record(portable, graph)),
			];
			// Softmax weights are f16: 2^-11 at most, at random.
			expect(nmse(actual, portableValues)).toBeLessThan(1e-6);
		});
	}

	// One compilation each, of a minute where Mesa's cache is empty and nothing else runs.
	for (const { name, record, inParts } of attentionCases.filter(({ emulated }) => emulated)) {
		it(`gives the portable kernel's numbers, matrices emulated: ${name}`, async (context) => {
			const portable = await testDevice();
			if (hasSubgroupMatrices(portable.report) || !portable.report.f16) context.skip();
			const shader = inParts ? "dense/attentionKeyParts" : "dense/attentionSubgroupMatrix";
			const text = loadShader(shader);
			registerShaders({ [shader]: emulateMatrices(text) });
			try {
				const report = { ...portable.report, subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
				const device = { ...portable, report };
				expect(shadersOf(device, record)).toEqual(inParts ? shadersInParts : [shader]);
				const [[actual], [expected]] = [
					await runGraph(device, (graph) => record(device, graph)),
					await runGraph(portable, (graph) => record(portable, graph)),
				];
				expect(nmse(actual, expected)).toBeLessThan(1e-6);
			} finally {
				registerShaders({ [shader]: text });
			}
		}, 600_000);
	}

	it("is left alone on devices without them", async () => {
		const device = await testDevice({ disableSubgroupMatrix: true });
		if (!device.report.f16) return;
		for (const { record } of attentionCases) {
			expect(shadersOf(device, record)).toEqual(["dense/attention"]);
		}
	});

	it("computes the same tiles in parts, all sequences in one window or in two", async () => {
		const portable = await testDevice();
		if (!portable.report.f16) return;
		const divisions = [2 ** 27, 2 ** 24].map((maxStorageBufferBindingSize) => {
			const limits = { ...portable.report.limits, maxStorageBufferBindingSize };
			const report = { ...portable.report, limits, subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
			const graph = new Graph({ ...portable, report }, "windows");
			const [heads, sequences, tokens] = [10, 5, 4096]; // 1,600 tiles, 396 at once
			const tensor = graph.input("x", "f16", [sequences * tokens, heads * 64]);
			const kv = graph.input("kv", "f16", [sequences * tokens, heads * 64]);
			attention(graph, {
				q: { tensor },
				k: { tensor: kv },
				v: { tensor: kv },
				heads,
				headSize: 64,
				sequences,
				queries: tokens,
				keys: tokens,
			});
			return graph.dispatches
				.filter(({ variant }) => variant.shader !== "dense/attentionKeyPartsJoin")
				.map(({ params }) => [params.sequences, params.wholeTiles, params.parts]);
		});
		const parts = divisions[0][0][2];
		expect(parts).toBeGreaterThan(1);
		expect(divisions).toEqual([
			[[5, 1584, parts]],
			[
				[3, 960, parts],
				[2, 624, parts],
			],
		]);
	});
});

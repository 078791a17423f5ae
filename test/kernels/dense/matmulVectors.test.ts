import { describe, expect, it } from "vitest";
import type { Tensor } from "../../../engine/gpu/tensor.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { convolution } from "../../../engine/kernels/dense/convolution.ts";
import { matmul } from "../../../engine/kernels/dense/matmul.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

/** Makes a tensor of even values, the same for the same seed. */
type Make = (dtype: "f32" | "f16", shape: readonly number[], seed: number, scale?: number) => Tensor;

const cases: Readonly<Record<string, (graph: Graph, make: Make) => Tensor>> = {
	"everything at once": (graph, make) =>
		matmul(graph, {
			x: make("f16", [1000, 40], 1),
			xColumn: 8,
			xRows: { first: 100, count: 60, stride: 200, segments: 4 },
			weight: make("f16", [260, 20], 2, 0.3),
			bias: make("f32", [260], 3),
			activation: "geluTanh",
			rowBias: { tensor: make("f32", [4, 268], 4), rows: 60, column: 8 },
			gate: { tensor: make("f32", [2, 520], 5), rows: 120, column: 260 },
			into: { tensor: make("f32", [900, 264], 6), column: 4, rows: { first: 20, count: 120, stride: 300, segments: 2 }, accumulate: true },
		}),
	"GEGLU with a residual, one row past half a tile": (graph, make) =>
		matmul(graph, {
			x: make("f32", [65, 64], 1),
			weight: make("f16", [72, 64], 2, 0.2),
			bias: make("f32", [72], 3),
			gated: true,
			activation: "gelu",
			residual: make("f16", [65, 36], 4),
		}),
	"operands in blocks": (graph, make) =>
		matmul(graph, {
			x: { ...make("f32", [72, 64], 1), inBlocks: true },
			weight: { ...make("f16", [48, 64], 2, 0.2), inBlocks: true },
		}),
	"a convolution with borders": (graph, make) =>
		convolution(graph, {
			x: make("f16", [3, 7, 9, 12], 1),
			weight: make("f16", [36, 3, 3, 12], 2, 0.2),
			padding: 1,
			activation: "silu",
			outputDtype: "f32",
		}),
};

describe("matmul of a GPU without subgroup matrices", () => {
	for (const [name, build] of Object.entries(cases)) {
		it(`gives what the software device's kernel gives: ${name}`, async () => {
			const software = await testDevice();
			const report = { ...software.report, software: false, subgroupMatrixShapes: [] };
			const [expected, actual] = await Promise.all(
				[software, { ...software, report }].map(async (device) => {
					const make: Make = (dtype, shape, seed, scale = 1) => {
						const count = shape.reduce((a, b) => a * b, 1);
						return residentTensor(device, "made", dtype, shape, randomValues(count, seed, scale));
					};
					const graph = new Graph(device, "choice");
					build(graph, make);
					const shader = device === software ? "dense/matmul" : "dense/matmulVectors";
					expect(graph.dispatches.map((dispatch) => dispatch.variant.shader)).toEqual([shader]);
					return (await runGraph(device, (recorded) => build(recorded, make)))[0];
				}),
			);
			expect(nmse(actual, expected)).toBeLessThan(1e-12);
		});
	}
});

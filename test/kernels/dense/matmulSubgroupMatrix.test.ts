import { describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { loadShader, registerShaders } from "../../../engine/gpu/shaderSource.ts";
import { blockRows, blockWidth, type Tensor } from "../../../engine/gpu/tensor.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { convolution } from "../../../engine/kernels/dense/convolution.ts";
import { matmul } from "../../../engine/kernels/dense/matmul.ts";
import { hasSubgroupMatrices } from "../../../engine/kernels/dense/subgroupMatrix.ts";
import { blocksOf } from "../../support/blocks.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";
import { emulateMatrices } from "../../support/matrixEmulation.ts";

/** Makes a tensor of even values, the same for the same seed. */
type Make = (dtype: "f32" | "f16", shape: readonly number[], seed: number, scale?: number) => Tensor;

const cases: Readonly<Record<string, (graph: Graph, make: Make) => Tensor>> = {
	"rows, columns and slices that do not fill tiles": (graph, make) =>
		matmul(graph, { x: make("f16", [1025, 96], 1), weight: make("f16", [328, 96], 2, 0.2), bias: make("f32", [328], 3) }),
	"everything added to segments of rows": (graph, make) =>
		matmul(graph, {
			x: make("f16", [1000, 320], 1),
			xColumn: 64,
			xRows: { first: 100, count: 60, stride: 200, segments: 4 },
			weight: make("f16", [256, 256], 2, 0.1),
			bias: make("f32", [256], 3),
			activation: "geluTanh",
			rowBias: { tensor: make("f32", [4, 264], 4), rows: 60, column: 8 },
			gate: { tensor: make("f32", [2, 512], 5), rows: 120, column: 256 },
			into: { tensor: make("f16", [900, 264], 6), column: 4, rows: { first: 20, count: 120, stride: 300, segments: 2 }, accumulate: true },
		}),
	"GEGLU with a residual in f32": (graph, make) =>
		matmul(graph, {
			x: make("f16", [300, 320], 1),
			weight: make("f16", [2560, 320], 2, 0.1),
			gated: true,
			activation: "gelu",
			residual: make("f32", [300, 1280], 3),
		}),
	"several weights": (graph, make) =>
		matmul(graph, { x: make("f16", [2048, 320], 1), weight: make("f16", [4, 640, 320], 2, 0.06), weights: 4 }),
	"few tiles, in parts that differ in length": (graph, make) =>
		matmul(graph, {
			x: make("f16", [130, 1376], 1),
			weight: make("f16", [176, 1376], 2, 0.06),
			bias: make("f32", [176], 3),
			activation: "gelu",
			gate: { tensor: make("f32", [2, 176], 4), rows: 65 },
			residual: make("f32", [130, 176], 5),
		}),
	"a convolution in parts": (graph, make) =>
		convolution(graph, {
			x: make("f16", [2, 8, 9, 96], 1),
			weight: make("f16", [64, 3, 3, 96], 2, 0.03),
			padding: 1,
			activation: "silu",
		}),
	"a convolution with borders": (graph, make) =>
		convolution(graph, {
			x: make("f16", [3, 12, 13, 96], 1),
			weight: make("f16", [320, 3, 3, 96], 2, 0.03),
			padding: 1,
			activation: "silu",
		}),
	"a convolution with stride 2, as wide as one vector": (graph, make) =>
		convolution(graph, { x: make("f16", [3, 24, 24, 32], 1), weight: make("f16", [12, 3, 3, 32], 2, 0.06), padding: 1, stride: 2 }),
	"a convolution of volumes": (graph, make) =>
		convolution(graph, { x: make("f16", [2, 8, 8, 8, 32], 1), weight: make("f16", [128, 3, 3, 3, 32], 2, 0.03), padding: 1 }),
};

/** Matrices of halves lie in blocks where `blocks` says so and they are whole ones. */
function maker(device: Device, blocks = false): Make {
	return (dtype, shape, seed, scale = 1) => {
		const count = shape.reduce((a, b) => a * b, 1);
		const width = shape.at(-1) ?? 0;
		const inBlocks = blocks && dtype === "f16" && width % blockWidth === 0 && count % (width * blockRows) === 0;
		const values = randomValues(count, seed, scale);
		return { ...residentTensor(device, "made", dtype, shape, inBlocks ? blocksOf(values, width) : values), inBlocks };
	};
}

/** Those of the cases that take operands in blocks. */
const casesInBlocks = [
	"rows, columns and slices that do not fill tiles",
	"GEGLU with a residual in f32",
	"several weights",
	"few tiles, in parts that differ in length",
];

const onMatrices = /^dense\/matmul(SubgroupMatrix|Parts|PartsSum)$/;

describe("matmul on subgroup matrices (where the device has them)", () => {
	for (const [name, build] of Object.entries(cases)) {
		it(`gives what the portable kernels give: ${name}`, async ({ skip }) => {
			const fast = await testDevice();
			if (!hasSubgroupMatrices(fast.report)) skip();
			const results: Float32Array[] = [];
			for (const device of [fast, await testDevice({ disableSubgroupMatrix: true })]) {
				const make = maker(device);
				const graph = new Graph(device, "choice");
				build(graph, make);
				expect(graph.dispatches.every(({ variant }) => onMatrices.test(variant.shader) === (device === fast))).toBe(true);
				results.push((await runGraph(device, (recorded) => build(recorded, make)))[0]);
			}
			expect(nmse(results[0], results[1])).toBeLessThan(1e-8);
		});
	}

	for (const name of casesInBlocks) {
		it(`gives the same bytes where operands lie in blocks, on any device: ${name}`, async () => {
			const device = await testDevice();
			const [inRows, inBlocks] = await Promise.all(
				[false, true].map((blocks) => runGraph(device, (graph) => cases[name](graph, maker(device, blocks)))),
			);
			expect(inBlocks).toEqual(inRows);
		});
	}

	it("gives what the portable kernels give, matrices emulated", async ({ skip }) => {
		const portable = await testDevice();
		if (hasSubgroupMatrices(portable.report) || !portable.report.f16) skip();
		const name = "dense/matmulParts"; // its middle is matmulSubgroupMatrix.wgsl's
		const text = loadShader(name);
		registerShaders({ [name]: emulateMatrices(text) });
		try {
			const report = { ...portable.report, subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
			const build = cases["few tiles, in parts that differ in length"];
			const results: Float32Array[] = [];
			for (const device of [{ ...portable, report }, portable]) {
				const make = maker(device, device !== portable);
				results.push((await runGraph(device, (recorded) => build(recorded, make)))[0]);
			}
			expect(nmse(results[0], results[1])).toBeLessThan(1e-6);
		} finally {
			registerShaders({ [name]: text });
		}
	});
});

import { describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { loadShader, registerShaders } from "../../../engine/gpu/shaderSource.ts";
import { blockRows, blockWidth, type Tensor } from "../../../engine/gpu/tensor.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { type Dispatch, Graph } from "../../../engine/graph/graph.ts";
import { convolution } from "../../../engine/kernels/dense/convolution.ts";
import { matmul, matmulAndNorm } from "../../../engine/kernels/dense/matmul.ts";
import { hasSubgroupMatrices } from "../../../engine/kernels/dense/subgroupMatrix.ts";
import { blocksOf } from "../../support/blocks.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";
import { emulateMatrices } from "../../support/matrixEmulation.ts";

/** Makes a tensor of even values, the same for the same seed. */
type Make = (dtype: "f32" | "f16", shape: readonly number[], seed: number, scale?: number) => Tensor;

const cases: Readonly<Record<string, (graph: Graph, make: Make) => Tensor | readonly Tensor[]>> = {
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
	"few tiles, halves of the channels in each workgroup": (graph, make) =>
		matmul(graph, {
			x: make("f16", [386, 192], 1),
			weight: make("f16", [60, 192], 2, 0.1),
			bias: make("f32", [60], 3),
			activation: "gelu",
		}),
	"few tiles of segments of rows": (graph, make) =>
		matmul(graph, {
			x: make("f16", [1000, 640], 1),
			xColumn: 64,
			xRows: { first: 100, count: 60, stride: 200, segments: 4 },
			weight: make("f16", [256, 512], 2, 0.05),
			rowBias: { tensor: make("f32", [4, 264], 4), rows: 60, column: 8 },
			into: { tensor: make("f16", [900, 264], 6), column: 4, rows: { first: 20, count: 120, stride: 300, segments: 2 }, accumulate: true },
		}),
	"few tiles with rows behind the last, in parts, and the rows' norm": (graph, make) =>
		Object.values(
			matmulAndNorm(
				graph,
				{
					x: make("f16", [392, 960], 1),
					weight: make("f16", [72, 960], 2, 0.06),
					gate: { tensor: make("f32", [1, 72], 4), rows: 392 },
					residual: make("f16", [392, 72], 5),
				},
				{ eps: 1e-5, affine: { weight: make("f32", [72], 6), bias: make("f32", [72], 7) }, outputDtype: "f16", label: "norm" },
			),
		),
	"sums in parts that lie as matrices, and the rows' norm": (graph, make) =>
		Object.values(
			matmulAndNorm(
				graph,
				{
					x: make("f16", [130, 1376], 1),
					weight: make("f16", [176, 1376], 2, 0.06),
					residual: make("f32", [130, 176], 3),
					outputDtype: "f32",
				},
				{ eps: 1e-5, outputDtype: "f16", label: "norm" },
			),
		),
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
	"few tiles, halves of the channels in each workgroup",
	"few tiles with rows behind the last, in parts, and the rows' norm",
];

const onMatrices = /^dense\/matmul(SubgroupMatrix|FewTiles|Parts|PartsSum|PartsNorm)$/;

/** What `build` gives where `fast` chooses the kernels, with the dispatches that `emulated` makes of its, and where the portable device does. */
async function both(
	fast: Device,
	portable: Device,
	build: (typeof cases)[string],
	emulated?: (dispatches: readonly Dispatch[], graph: Graph) => void,
): Promise<readonly (readonly [actual: Float32Array, expected: Float32Array])[]> {
	const results: Float32Array[][] = [];
	for (const device of [fast, portable]) {
		const make = maker(device, emulated !== undefined && device !== portable);
		const recorded = await runGraph(device, (graph) => {
			if (device === portable || emulated === undefined) return build(graph, make);
			const chosen = new Graph(device, "chosen");
			const built = build(chosen, make);
			emulated(chosen.dispatches, graph);
			return built;
		});
		results.push(recorded);
	}
	return results[0].map((values, i) => [values, results[1][i]]);
}

describe("matmul on subgroup matrices (where the device has them)", () => {
	for (const [name, build] of Object.entries(cases)) {
		it(`gives what the portable kernels give: ${name}`, async ({ skip }) => {
			const fast = await testDevice();
			if (!hasSubgroupMatrices(fast.report)) skip();
			const portable = await testDevice({ disableSubgroupMatrix: true });
			const [chosen, others] = [fast, portable].map((device) => {
				const graph = new Graph(device, "choice");
				build(graph, (dtype, shape) => graph.input("made", dtype, shape));
				return graph.dispatches.map(({ variant }) => onMatrices.test(variant.shader));
			});
			expect(chosen).not.toContain(false);
			expect(others).not.toContain(true);
			// A norm in halves rounds once more.
			const bound = name.includes("norm") ? 1e-7 : 1e-8;
			for (const [actual, expected] of await both(fast, portable, build)) expect(nmse(actual, expected)).toBeLessThan(bound);
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

	// Their middle is matmulSubgroupMatrix.wgsl's. matmulFewTiles.wgsl takes software drivers half a minute to compile.
	const emulations: Readonly<Record<string, readonly string[]>> = {
		"few tiles, in parts that differ in length": ["matmulParts", "matmulPartsSum"],
		"sums in parts that lie as matrices, and the rows' norm": ["matmulParts", "matmulPartsNorm"],
	};
	for (const [name, shaders] of Object.entries(emulations)) {
		it(`gives what the portable kernels give, matrices emulated: ${name}`, async ({ skip }) => {
			const portable = await testDevice();
			if (hasSubgroupMatrices(portable.report) || !portable.report.f16) skip();
			const report = { ...portable.report, subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
			const results = await both({ ...portable, report }, portable, cases[name], (dispatches, graph) => {
				expect(dispatches.map(({ variant }) => variant.shader)).toEqual(shaders.map((shader) => `dense/${shader}`));
				for (const dispatch of dispatches) dispatchEmulated(graph, dispatch);
			});
			for (const [actual, expected] of results) expect(nmse(actual, expected)).toBeLessThan(1e-6);
		});
	}
});

/** Records a dispatch with matrices emulated. */
function dispatchEmulated(graph: Graph, { label, variant, tensors, params, workgroups }: Dispatch): void {
	const bound = Object.fromEntries(tensors.map(({ name, tensor }) => [name, tensor]));
	const shader = `${variant.shader}Emulated`;
	const text = loadShader(variant.shader);
	registerShaders({ [shader]: text.includes("subgroupMatrixLoad") ? emulateMatrices(text) : text });
	graph.dispatch({ ...variant, shader, label, tensors: bound, params, workgroups });
}

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { loadShader, registerShaders } from "../../engine/gpu/shaderSource.ts";
import { reshape, type Tensor } from "../../engine/gpu/tensor.ts";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import { layInBlocks } from "../../engine/graph/blocks.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { attention } from "../../engine/kernels/dense/attention.ts";
import { faceBlend } from "../../engine/kernels/dense/faceBlend.ts";
import { groupNorm } from "../../engine/kernels/dense/groupNorm.ts";
import { layerNorm } from "../../engine/kernels/dense/layerNorm.ts";
import { matmul } from "../../engine/kernels/dense/matmul.ts";
import { nmse, randomValues, runGraph, testDevice, withMatrices } from "../support/gpu.ts";
import { emulateMatrices } from "../support/matrixEmulation.ts";

let device: Device;
let onMatrices: Device;
beforeAll(async () => {
	device = await testDevice();
	onMatrices = withMatrices(device);
});

const made = (dtype: "f16" | "f32", shape: readonly number[], seed: number, scale = 1): Tensor =>
	residentTensor(
		device,
		"made",
		dtype,
		shape,
		randomValues(
			shape.reduce((a, b) => a * b, 1),
			seed,
			scale,
		),
	);

/** Labels of the dispatches that were told of blocks, and of which. */
function told(graph: Graph): Readonly<Record<string, readonly string[]>> {
	layInBlocks(graph);
	const entries = graph.dispatches.map(({ label, variant }) => {
		const names = Object.entries(variant.overrides ?? {}).filter(([name, value]) => name.startsWith("blocked") && value);
		return [label, names.map(([name]) => name)] as const;
	});
	return Object.fromEntries(entries.filter(([, names]) => names.length > 0));
}

const tokens = 144;
const channels = 128;

/** A transformer block in short: norm, queries, keys and values, attention, its faces mixed, out, norm, GEGLU, out. */
function block(graph: Graph, rows = tokens, stream = made("f16", [2 * rows, channels], 1)): Tensor {
	const weight = (columns: number, from: number, seed: number) => made("f16", [columns, from], seed, 0.1);
	const affine = { weight: made("f32", [channels], 2), bias: made("f32", [channels], 3) };
	const qkv = matmul(graph, {
		x: layerNorm(graph, { x: stream, eps: 1e-5, affine, label: "norm1" }),
		weight: weight(3 * channels, channels, 4),
		label: "qkv",
	});
	const parts = { q: { tensor: qkv }, k: { tensor: qkv, column: channels }, v: { tensor: qkv, column: 2 * channels } };
	const mixed = attention(graph, { ...parts, heads: 2, headSize: 64, sequences: 2, queries: rows, keys: rows });
	if (rows === tokens) faceBlend(graph, { x: mixed, views: 2, domains: 1, side: 12, frontView: 0, faceView: 1 });
	const first = matmul(graph, { x: mixed, weight: weight(channels, channels, 5), residual: stream, label: "out" });
	const normed = layerNorm(graph, { x: first, eps: 1e-5, label: "norm2" });
	const hidden = matmul(graph, {
		x: reshape(normed, [2, rows, channels]),
		weight: weight(8 * channels, channels, 6),
		gated: true,
		activation: "gelu",
		label: "ff in",
	});
	return matmul(graph, { x: hidden, weight: weight(channels, 4 * channels, 7), residual: first, label: "ff out" });
}

describe("layInBlocks", () => {
	it("lays what norms, attention and products make for products in blocks, and nothing that others read", () => {
		const graph = new Graph(onMatrices, "block");
		graph.output(block(graph));
		const expected = {
			norm1: ["blockedY"],
			qkv: ["blockedX"],
			attention: ["blockedY"],
			faceBlend: ["blockedX"],
			out: ["blockedX"],
			norm2: ["blockedY"],
			"ff in": ["blockedX", "blockedY"],
			"ff out": ["blockedX"],
		};
		expect(told(graph)).toEqual(expected);
		expect(told(graph)).toEqual(expected);
	});

	it("leaves rows that are no whole blocks, and other kernels' tensors", () => {
		const odd = new Graph(onMatrices, "odd");
		block(odd, 70);
		expect(told(odd)).toEqual({});
		const portable = new Graph({ ...device, report: { ...onMatrices.report, subgroupMatrixShapes: [] } }, "portable");
		block(portable);
		expect(told(portable)).toEqual({});
	});

	it("leaves what is kept: outputs and taps", () => {
		const graph = new Graph(onMatrices, "kept", { tapped: (name) => name === "norm2" });
		const y = layerNorm(graph, { x: made("f16", [128, 64], 1), eps: 1e-5 });
		graph.tap("norm2", y);
		matmul(graph, { x: y, weight: made("f16", [64, 64], 2) });
		expect(told(graph)).toEqual({});
	});

	it("changes no value, subgroup matrices emulated", async ({ skip }) => {
		if (!device.report.f16 || device.report.subgroupMatrixShapes.length > 0) skip();
		const name = "dense/matmulParts"; // compiled in seconds
		const text = loadShader(name);
		registerShaders({ [name]: emulateMatrices(text) });
		try {
			const build = (graph: Graph) => {
				const image = groupNorm(graph, { x: made("f16", [2, 4, 17, 1376], 1), groups: 32, eps: 1e-5, silu: true, label: "group norm" });
				const stream = matmul(graph, { x: image, weight: made("f16", [1024, 1376], 2, 0.05), label: "in" });
				const x = layerNorm(graph, { x: stream, eps: 1e-5, label: "norm" });
				const hidden = matmul(graph, { x, weight: made("f16", [1024, 1024], 3, 0.05), activation: "gelu", label: "hidden" });
				return matmul(graph, { x: hidden, weight: made("f16", [40, 1024], 4, 0.1), outputDtype: "f32", label: "out" });
			};
			const recorded = new Graph(onMatrices, "recorded");
			build(recorded);
			expect(told(recorded)).toEqual({
				"group norm": ["blockedY"],
				in: ["blockedX"],
				norm: ["blockedY"],
				hidden: ["blockedX"],
				"hidden sum": ["blockedY"],
				out: ["blockedX"],
			});
			const [[inBlocks], [inRows]] = [await runGraph(onMatrices, build), await runGraph(device, build)];
			expect(nmse(inBlocks, inRows)).toBeLessThan(1e-6);
		} finally {
			registerShaders({ [name]: text });
		}
	});
});

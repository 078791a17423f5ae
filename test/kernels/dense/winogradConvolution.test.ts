import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { loadShader, registerShaders } from "../../../engine/gpu/shaderSource.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { layInBlocks } from "../../../engine/graph/blocks.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { convolution } from "../../../engine/kernels/dense/convolution.ts";
import { groupNorm } from "../../../engine/kernels/dense/groupNorm.ts";
import { hasSubgroupMatrices } from "../../../engine/kernels/dense/subgroupMatrix.ts";
import { type WinogradTile, winogradConvolution, winogradTile } from "../../../engine/kernels/dense/winogradConvolution.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";
import { emulateMatrices } from "../../support/matrixEmulation.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const onGrid = (v: number) => Math.round(v * 64) / 64;

interface Case {
	name: string;
	images: number;
	height: number;
	width: number;
	channels: number;
	/** Slices of a volume. */
	depth?: number;
	groups?: number;
	activation?: "gelu" | "silu";
	chunkBytes?: number;
	tile?: WinogradTile;
}

const inTwos: readonly Case[] = [
	{ name: "an even picture", images: 1, height: 6, width: 8, channels: 8 },
	{ name: "odd sides", images: 3, height: 7, width: 5, channels: 4 },
	{ name: "one pixel", images: 2, height: 1, width: 1, channels: 4 },
	{ name: "volumes in groups", images: 3, depth: 16, height: 8, width: 7, channels: 4, chunkBytes: 700_000, activation: "gelu" },
	{ name: "images in groups of unequal size", images: 5, height: 16, width: 16, channels: 32, chunkBytes: 300_000 },
	{ name: "a norm with two groups in a vector of channels", images: 2, height: 9, width: 4, channels: 12, groups: 6 },
	{ name: "a norm, more than a strip", images: 1, height: 40, width: 6, channels: 16, groups: 4 },
];
/** Fewer: software Vulkan takes seconds to compile one of their kernels. */
const inFours = inTwos
	.filter((one) => ["odd sides", "images in groups of unequal size", "a norm, more than a strip"].includes(one.name))
	.map((one) => ({ ...one, name: `${one.name}, in tiles of 4`, tile: 4 as const }));
const cases = [...inTwos, ...inFours];

const columns = 16;

/** The same convolution by transforms, with everything around it, and directly in f32. */
async function both(
	{ images, depth, height, width, channels, chunkBytes, groups, activation, tile }: Case,
	dtype: "f32" | "f16",
	input: "f32" | "f16",
) {
	const [extent, kernel] =
		depth === undefined
			? [
					[height, width],
					[3, 3],
				]
			: [
					[depth, height, width],
					[3, 3, 3],
				];
	const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
	const x = randomValues(count([images, ...extent, channels]), 1).map(onGrid);
	const weights = randomValues(count([columns, ...kernel, channels]), 2).map(onGrid);
	const rest = randomValues(count([images, ...extent, columns]), 5).map(onGrid);
	const tensor = (name: string, of: "f32" | "f16", shape: number[], values: Float32Array) =>
		residentTensor(device, name, of, shape, values);
	const random = (name: string, shape: number[], seed: number) => tensor(name, "f32", shape, randomValues(count(shape), seed));
	return runGraph(device, (graph) => {
		const shared = {
			bias: random("bias", [columns], 3),
			rowBias: { tensor: random("time", [images, columns + 3], 4), rows: count(extent), column: 3 },
			activation,
		};
		const affine = { weight: random("norm weight", [channels], 6), bias: random("norm bias", [channels], 7) };
		const norm = groups === undefined ? undefined : { groups, eps: 1e-5, affine, silu: true };
		const exact = tensor("x in f32", "f32", [images, ...extent, channels], x);
		return [
			winogradConvolution(graph, {
				...shared,
				x: tensor("x", input, [images, ...extent, channels], x),
				norm,
				weight: tensor("w", dtype, [columns, ...kernel, channels], weights),
				residual: tensor("residual", input, [images, ...extent, columns], rest),
				outputDtype: "f32",
				chunkBytes,
				tile,
			}),
			convolution(graph, {
				...shared,
				x: norm ? groupNorm(graph, { x: exact, ...norm }) : exact,
				weight: tensor("w in f32", "f32", [columns, ...kernel, channels], weights),
				residual: tensor("residual in f32", "f32", [images, ...extent, columns], rest),
				padding: 1,
			}),
		];
	});
}

// The direct convolution's own test compares it with a reference in f64.
describe("winogradConvolution", () => {
	for (const one of cases) {
		it(`is the direct convolution in f32: ${one.name}`, async () => {
			const [actual, expected] = await both(one, "f32", "f32");
			expect(nmse(actual, expected)).toBeLessThan(1e-11);
		});
	}

	// Pixels, weights and products are rounded: 2 to 4 errors of 2^-12, which tiles of 4 multiply by 2 to 4.
	for (const one of [...inTwos.slice(4), ...inFours.slice(1)]) {
		for (const input of one.groups === 6 ? (["f16", "f32"] as const) : (["f16"] as const)) {
			it(`is close to it in f16, x in ${input}: ${one.name}`, async () => {
				const [actual, expected] = await both(one, "f16", input);
				expect(nmse(actual, expected)).toBeLessThan(one.tile === 4 ? 6e-6 : 4e-7);
			});
		}
	}

	it.each([2, 4] as const)("holds in f16 what the pixels hold: transforms stay below the largest of them, tiles of %i", async (tile) => {
		const x = Float32Array.from({ length: 6 * 6 * 4 }, (_, i) => (((i >> 2) + Math.floor(i / 24)) % 2 === 0 ? 60000 : -60000));
		const weights = randomValues(columns * 9 * 4, 2).map((v) => v / 16);
		const [actual, expected] = await runGraph(device, (graph) => {
			const of = (dtype: "f16" | "f32") => ({
				x: residentTensor(device, "x", dtype, [1, 6, 6, 4], x),
				weight: residentTensor(device, "w", dtype, [columns, 3, 3, 4], weights),
			});
			return [winogradConvolution(graph, { ...of("f16"), tile }), convolution(graph, { ...of("f32"), padding: 1 })];
		});
		expect(nmse(actual, expected)).toBeLessThan(tile === 4 ? 4e-5 : 4e-6);
	});

	it("gives the same where its matrices lie in blocks, subgroup matrices emulated", async ({ skip }) => {
		if (hasSubgroupMatrices(device.report) || !device.report.f16) skip();
		const name = "dense/matmulSubgroupMatrix";
		const text = loadShader(name);
		registerShaders({ [name]: emulateMatrices(text) });
		try {
			const report = { ...device.report, subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
			const blocked: unknown[] = [];
			const [inBlocks, inRows] = await Promise.all(
				[{ ...device, report }, device].map((on) =>
					runGraph(on, (graph) => {
						const x = residentTensor(on, "x", "f16", [1, 9, 10, 64], randomValues(9 * 10 * 64, 1));
						const weight = residentTensor(on, "w", "f16", [40, 3, 3, 64], randomValues(40 * 9 * 64, 2, 0.05));
						const y = winogradConvolution(graph, { x, weight, tile: 2 });
						layInBlocks(graph);
						blocked.push(
							graph.dispatches.map(({ variant }) =>
								Object.entries(variant.overrides ?? {}).some(([name, value]) => name.startsWith("blocked") && value),
							),
						);
						return y;
					}),
				),
			);
			expect(blocked).toEqual([
				[true, true, true, false],
				[false, false, false, false],
			]);
			expect(nmse(inBlocks[0], inRows[0])).toBeLessThan(1e-6);
		} finally {
			registerShaders({ [name]: text });
		}
	});

	it("refuses what does not fit", async () => {
		const tensor = (shape: number[]) => residentTensor(device, "t", "f32", shape);
		const run = (x: number[], weight: number[], rows = 0) =>
			runGraph(device, (graph) =>
				winogradConvolution(graph, {
					x: tensor(x),
					weight: tensor(weight),
					...(rows > 0 && { rowBias: { tensor: tensor([9, weight[0]]), rows } }),
				}),
			);
		await expect(run([1, 4, 4, 8], [4, 3, 3, 4])).rejects.toThrow("weight f32[4,3,3,4] does not fit x f32[1,4,4,8]");
		await expect(run([1, 4, 4, 8], [4, 5, 5, 8])).rejects.toThrow("does not fit");
		await expect(run([1, 4, 4, 6], [4, 3, 3, 6])).rejects.toThrow("does not fit");
		await expect(run([1, 4, 4, 8], [4, 3, 3, 8], 8)).rejects.toThrow("whole images");
		await expect(run([1, 4, 4, 4, 8], [4, 3, 3, 3, 8])).rejects.toThrow("multiple of 256 tiles");
	});

	it("runs where matrices multiply and channels are many", () => {
		const { limits } = device.report;
		const matrices = { subgroupMatrixShapes: ["f16->f32 16x16x16"], subgroupSizes: [32, 32] as const };
		const runs = (report: object, images: number, side: number, channels: number, columns: number, kernel = [3, 3]) => {
			const graph = new Graph({ ...device, report: { ...device.report, ...report } }, "test");
			const x = { ...graph.input("x", "f16", [1]), shape: [images, ...kernel.map(() => side), channels] };
			return winogradTile(graph, x, { ...x, shape: [columns, ...kernel, channels] });
		};
		const large = { ...matrices, limits: { ...limits, maxStorageBufferBindingSize: 2 ** 31 - 4 } };
		expect(runs(large, 20, 96, 320, 320)).toBe(4);
		expect(runs(large, 1, 384, 512, 256)).toBe(4);
		expect(runs(large, 1, 16, 512, 512, [3, 3, 3])).toBe(2);
		expect(runs(large, 1, 6, 512, 512, [3, 3, 3])).toBe(undefined);
		expect(runs(large, 20, 96, 320, 320, [5, 5])).toBe(undefined);
		expect(runs({ ...large, subgroupMatrixShapes: [] }, 20, 96, 320, 320)).toBe(undefined);
		expect(runs({ ...large, limits: { ...limits, maxStorageBufferBindingSize: 2 ** 27 } }, 1, 384, 512, 256)).toBe(undefined);
		expect(runs(large, 1, 768, 128, 128)).toBe(undefined);
		expect(runs(large, 1, 12, 1280, 1280)).toBe(undefined);
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import type { DType } from "../../engine/gpu/tensor.ts";
import { compileGraph } from "../../engine/graph/executable.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { type Dinov2Request, declareDinov2, readDinov2Config, recordDinov2 } from "../../engine/models/dinov2.ts";
import { adapters } from "../../runners/parity/adapters/imageEncoders.ts";
import { configOf } from "../../runners/parity/configOf.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { nmse, randomValues, testDevice } from "../support/gpu.ts";
import { failures, runParityFixture } from "../support/parityFixture.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const configFrom = (sizes: object) => readDinov2Config(configOf({ dinov2: sizes }, "engine.json"));
const config = configFrom({ embed_dim: 16, depth: 3, num_heads: 2, taps: [0, 1], img_size: 42 });

describe("dinov2", () => {
	// The fixture: the official module (reference kit, seed 7) with 4 blocks of width 16 and taps [0, 1, 2, 3], at 518 and 896 pixels.
	for (const dtype of ["f32", "f16"] as const) {
		it(`gives the numbers of the official module in ${dtype}`, async () => {
			expect(failures(await runParityFixture("dinov2_reg", adapters.dinov2_reg, dtype))).toEqual([]);
		});
	}

	it("is dinov2_vitl14_reg where nothing else is said", () => {
		const official = {
			patchSize: 14,
			imageSize: 518,
			channels: 1024,
			layers: 24,
			heads: 16,
			mlpRatio: 4,
			registers: 4,
			taps: [4, 11, 17, 23],
		};
		expect(readDinov2Config(configOf({}, "engine.json"))).toEqual(official);
	});

	it("gives a batch of pictures what each gives alone, with features of either type and only the blocks they need", async () => {
		const pixels = randomValues(2 * 28 * 28 * 3, 1, 2);
		const both = await run(pixels, 2, { condition: true, features: "f32" });
		const single = await run(pixels.slice(28 * 28 * 3), 1, { features: "f16" });
		expect(single.dispatchCount).toBeLessThan(both.dispatchCount - 5);
		expect(nmse(single.features, both.features.slice(2 * 2 * 32))).toBeLessThan(1e-6);
		expect(both.condition).toHaveLength(2 * 9 * 16);
	});

	it("refuses pictures that are not whole patches", () => {
		const model = declareDinov2(Weights.open(syntheticSource({ name: "synthetic", seed: 1 })), config, "f32");
		const graph = new Graph(device, "test");
		const pixels = graph.input("pixels", "f32", [1, 28, 30, 3]);
		expect(() => recordDinov2(graph, model, { pixels })).toThrow(/pixels must be/);
		expect(() =>
			recordDinov2(
				graph,
				{ ...model, config: { ...config, taps: [] } },
				{ pixels: graph.input("p", "f32", [1, 28, 28, 3]), features: "f32" },
			),
		).toThrow(/no taps/);
	});

	it("refuses sizes that do not fit together", () => {
		expect(() => configFrom({ num_heads: 3 })).toThrow(/num_heads must divide/);
		expect(() => configFrom({ depth: 4, taps: [1, 4] })).toThrow(/taps/);
		expect(() => configFrom({ depth: 4, taps: [2, 1] })).toThrow(/taps must rise/);
		expect(configFrom({ depth: 12 }).taps).toEqual([4, 11]);
	});
});

/** Condition and features of `images` pictures of 28 x 28 pixels. */
async function run(pixels: Float32Array, images: number, wanted: { condition?: boolean; features: DType }) {
	const weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
	const model = declareDinov2(weights, config, "f32");
	await weights.load(device);
	const graph = new Graph(device, "dinov2");
	const input = graph.input("pixels", "f32", [images, 28, 28, 3]);
	const request: Dinov2Request = { pixels: input, ...wanted };
	const { condition, features } = recordDinov2(graph, model, request);
	for (const tensor of [condition, features]) if (tensor !== undefined) graph.output(tensor);
	const executable = await compileGraph(graph);
	try {
		executable.write(input, pixels);
		await executable.run();
		return {
			dispatchCount: executable.dispatchCount,
			condition: condition && (await executable.read(condition)),
			features: features ? await executable.read(features) : new Float32Array(),
		};
	} finally {
		executable.destroy();
		weights.release();
	}
}

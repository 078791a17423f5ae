import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import { isRequested } from "../../engine/gpu/kernel.ts";
import { kernelsToCompile } from "../../engine/graph/executable.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { layerNorm } from "../../engine/kernels/dense/layerNorm.ts";
import { matmul } from "../../engine/kernels/dense/matmul.ts";
import { Networks } from "../../engine/stages/networks.ts";
import { bareContext, type MemoryPlan, type Part, type PartContext, planStage, runPart } from "../../engine/stages/part.ts";
import { memoryByteSource } from "../../weights/byteSource.ts";
import type { Checkpoint } from "../../weights/checkpoint.ts";
import { openSafetensors } from "../../weights/safetensors.ts";
import { randomValues, testDevice, withMatrices } from "../support/gpu.ts";
import { failureOf } from "../support/hostile.ts";
import { safetensorsBytes } from "../support/safetensorsBytes.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

const side = 64;
const weightBytes = side * side * 4;

let device: Device;
let before: number;
/** Reads of each network's file since it was opened. */
let reads: Record<string, number>;
let plans: MemoryPlan[];
beforeAll(async () => {
	device = await testDevice();
});
beforeEach(() => {
	before = device.memory.currentBytes;
	reads = {};
	plans = [];
});

/** Every network is one square matrix. */
const checkpoint = {
	name: "made",
	async tensors(component: string) {
		const values = randomValues(side * side, component.length);
		const source = memoryByteSource("made.file", safetensorsBytes(new Map([["w", storedFromFloat32(values, [side, side])]])));
		const counted: typeof source = {
			...source,
			read: (offset, length) => {
				reads[component] = (reads[component] ?? 0) + 1;
				return source.read(offset, length);
			},
		};
		const opened = await openSafetensors(counted);
		reads[component] = 0;
		return opened;
	},
} as unknown as Checkpoint;

const contextOf = (networks: Networks, maxMemory?: number): PartContext => ({
	...bareContext(device),
	networks,
	maxMemory,
	onPlan: (plan) => plans.push(plan),
});

/** A stage of two parts, x W1 and x W2. */
async function runStage(context: PartContext, components: readonly ("vae" | "dinov2" | "image_encoder")[]) {
	const made = [];
	for (const component of components) {
		const { weights, model } = await context.networks.open({
			...{ checkpoint, dtype: "f32", component },
			declare: (reader) => reader.tensor("w", [side, side], { dtype: "f32" }),
		});
		const graph = new Graph(device, component);
		const x = graph.input("x", "f32", [8, side]);
		const y = graph.output(matmul(graph, { x, weight: model }));
		made.push({ part: { name: component, weights: [weights], graphs: [graph] } satisfies Part, x, y });
	}
	await planStage(
		context,
		"stage",
		made.map(({ part }) => part),
	);
	const results: Float32Array[] = [];
	for (const { part, x, y } of made) {
		results.push(
			await runPart(context, part, async ([executable]) => {
				executable.write(x, randomValues(8 * side, 9));
				await executable.run();
				return executable.read(y);
			}),
		);
	}
	return results;
}

describe("parts", () => {
	it("load and free their weights one after the other where nothing is said about memory", async () => {
		const context = contextOf(new Networks());
		await runStage(context, ["vae", "dinov2"]);
		expect(plans[0]).toMatchObject({ heldBytes: before, residentBytes: 0 });
		expect(device.memory.currentBytes).toBe(before);
		const [{ bytes }] = plans[0].parts;
		expect(plans[0].peakBytes).toBe(before + bytes);
		for (const one of context.measurements) {
			expect(one.peakBytes).toBeLessThanOrEqual(one.plannedBytes);
			expect(one.loadSeconds + one.compileSeconds + one.computeSeconds).toBeGreaterThan(0);
		}
		await runStage(context, ["vae"]);
		expect(reads).toEqual({ vae: 2, dinov2: 1 });
	});

	it("find weights on the GPU where all fit, read none twice, and give the same bytes", async () => {
		const staged = await runStage(contextOf(new Networks()), ["vae", "dinov2"]);
		const networks = new Networks();
		const context = contextOf(networks, before + 2 ** 24);
		expect(await runStage(context, ["vae", "dinov2"])).toEqual(staged);
		expect(device.memory.currentBytes).toBe(before + 2 * weightBytes);
		expect(await runStage(context, ["vae", "dinov2"])).toEqual(staged);
		await runStage(context, ["image_encoder"]);
		expect(reads).toEqual({ vae: 1, dinov2: 1, image_encoder: 1 });
		expect(plans.slice(1).map(({ heldBytes, residentBytes }) => [heldBytes, residentBytes])).toEqual([
			[before, 2 * weightBytes],
			[before, 2 * weightBytes],
			[before, 3 * weightBytes],
		]);
		for (const { peakBytes, plannedBytes } of context.measurements) expect(peakBytes).toBeLessThanOrEqual(plannedBytes);
		networks.release();
		expect(device.memory.currentBytes).toBe(before);
	});

	it("free what stayed where a later stage needs the room, and refuse where even that is not enough", async () => {
		const networks = new Networks();
		await runStage(contextOf(networks), ["vae"]);
		const [{ peakBytes }] = plans;
		const both = contextOf(networks, peakBytes + weightBytes - 1);
		await runStage(both, ["vae"]);
		expect(device.memory.currentBytes).toBe(before + weightBytes);
		await runStage(both, ["vae", "dinov2"]);
		expect(plans.map(({ residentBytes }) => residentBytes)).toEqual([0, weightBytes, 0]);
		expect(device.memory.currentBytes).toBe(before);
		const refused = await failureOf(() => runStage(contextOf(networks, peakBytes - 1), ["vae"]));
		expect(refused).toMatchObject({
			code: "memory",
			message: `stage: vae needs ${peakBytes} bytes of GPU memory, more than the ${peakBytes - 1} allowed.`,
		});
		expect(device.memory.currentBytes).toBe(before);
	});

	it("begin to compile the kernels that they will run, told of blocks already", async () => {
		// Where there are none these kernels do not compile: what counts is which were asked for.
		const onMatrices = withMatrices(device);
		const graph = new Graph(onMatrices, "products");
		const normed = layerNorm(graph, { x: graph.input("x", "f16", [128, 64]), eps: 1e-5 });
		graph.output(matmul(graph, { x: normed, weight: graph.input("w", "f16", [64, 64]) }));
		await planStage({ ...contextOf(new Networks()), device: onMatrices }, "stage", [{ name: "products", weights: [], graphs: [graph] }]);
		const variants = kernelsToCompile(graph);
		expect(variants.map(({ overrides }) => [overrides?.blockedY, overrides?.blockedX])).toEqual([
			[true, undefined],
			[undefined, true],
		]);
		for (const variant of variants) expect(isRequested(onMatrices, variant)).toBe(true);
	});
});

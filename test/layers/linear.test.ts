import { expect, it } from "vitest";
import { readTensor } from "../../engine/gpu/transfer.ts";
import { declareConvolution, declareGatedLinear, declareLinear, declareStackedLinear } from "../../engine/layers/linear.ts";
import { syntheticFillOnDevice } from "../../engine/random/syntheticFillOnDevice.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { blocksOf } from "../support/blocks.ts";
import { testDevice } from "../support/gpu.ts";

it("holds matrices of whole blocks in blocks and others row by row, made by the CPU or on the device", async () => {
	const device = await testDevice();
	const pairs = (values: Float32Array, width: number) => {
		const half = values.length / 2;
		return values.map((_, at) => values[(Math.floor(at / width) % 2) * half + Math.floor(at / width / 2) * width + (at % width)]);
	};
	for (const fillOnDevice of [undefined, syntheticFillOnDevice(device)]) {
		const weights = Weights.open(syntheticSource({ name: "made", component: "vae", seed: 0, ...(fillOnDevice && { fillOnDevice }) }));
		const row = (name: string, shape: readonly number[]) => weights.at(name).tensor("weight", shape, { dtype: "f32" });
		const [large, odd] = [row("large", [320, 256]), row("odd", [20, 96])];
		const names = ["q", "k", "v"];
		const parts = names.map((name) => row(name, [320, 256]));
		const shortcut = row("shortcut", [320, 256, 1, 1]);
		const cases = [
			{ held: declareLinear(weights.at("large"), 320, 256, "f32").weight, of: [large], inBlocks: true },
			{ held: declareLinear(weights.at("large"), 320, 256, "f32", { rows: true }).weight, of: [large], inBlocks: false },
			{ held: declareLinear(weights.at("odd"), 20, 96, "f32").weight, of: [odd], inBlocks: false },
			{ held: declareGatedLinear(weights.at("large"), 320, 256, "f32").weight, of: [large], inBlocks: true, gated: true },
			{ held: declareGatedLinear(weights.at("odd"), 20, 96, "f32").weight, of: [odd], inBlocks: false, gated: true },
			{ held: declareStackedLinear(weights, names, 320, 256, "f32").weight, of: parts, inBlocks: true },
			{ held: declareConvolution(weights.at("shortcut"), 320, 256, [1, 1], "f32").weight, of: [shortcut], inBlocks: true },
		];
		await weights.load(device);
		for (const { held, of, inBlocks, gated } of cases) {
			const [columns, channels] = [held.shape[0], held.shape.at(-1) ?? 0];
			const stored = new Float32Array(columns * channels);
			for (const [index, part] of of.entries()) stored.set(await readTensor(device, part), (index * stored.length) / of.length);
			const rows = gated ? pairs(stored, channels) : stored;
			expect(held.inBlocks ?? false).toBe(inBlocks);
			expect(await readTensor(device, held)).toEqual(inBlocks ? blocksOf(rows, channels) : rows);
		}
		weights.release();
	}
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import type { Tensor } from "../../engine/gpu/tensor.ts";
import { residentTensor } from "../../engine/gpu/transfer.ts";
import {
	declareModulatedTransformerBlock,
	type ModulatedTransformerBlock,
	recordContextKeyValues,
	recordModulatedTransformerBlock,
	recordModulation,
	recordZeroContext,
} from "../../engine/layers/modulatedTransformerBlock.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { nmse, randomValues, runGraph, testDevice } from "../support/gpu.ts";

// The numbers of the official module: see slatFlow.test.ts and the structure network's. Here: what contexts of zeros are replaced by.
const config = { channels: 32, contextChannels: 24, heads: 2, mlpRatio: 4, qkRmsNorm: true };
const [sequences, tokens, contextTokens] = [3, 37, 11];
let device: Device;
let weights: Weights;
let block: ModulatedTransformerBlock;
let x: Tensor;
let timeSilu: Tensor;
/** Contexts of all sequences; that of sequence 1 is not zero. */
const features = randomValues(sequences * contextTokens * config.contextChannels, 3).map((v, i) =>
	Math.floor(i / contextTokens / config.contextChannels) === 1 ? v : 0,
);
beforeAll(async () => {
	device = await testDevice();
	weights = Weights.open(syntheticSource({ name: "synthetic", seed: 1 }));
	block = declareModulatedTransformerBlock(weights, config, "f32");
	await weights.load(device);
	x = residentTensor(device, "x", "f32", [sequences * tokens, config.channels], randomValues(sequences * tokens * config.channels, 1));
	timeSilu = residentTensor(device, "time", "f32", [sequences, config.channels], randomValues(sequences * config.channels, 2));
});

const context = (sequence: number, count: number) => {
	const size = contextTokens * config.contextChannels;
	const values = features.slice(sequence * size, (sequence + count) * size);
	return residentTensor(device, "context", "f32", [count * contextTokens, config.contextChannels], values);
};

/** The block over all sequences with the contexts of `count` of them, from `first` on, and zeros for the others. */
const run = (first: number, count: number) =>
	runGraph(device, (graph) =>
		recordModulatedTransformerBlock(graph, block, {
			x,
			sequences,
			tokens,
			modulation: recordModulation(graph, block, timeSilu),
			rowsPerModulation: tokens,
			context: {
				keyValues: recordContextKeyValues(graph, block, context(first, count)),
				tokens: contextTokens,
				zero: recordZeroContext(graph, block),
				firstSequence: first,
			},
		}),
	);

describe("modulatedTransformerBlock", () => {
	it("adds a constant where the context is zeros, whichever sequences have one", async () => {
		const [all] = await run(0, 3);
		for (const [first, count] of [
			[0, 2],
			[1, 1],
			[1, 2],
		]) {
			const [some] = await run(first, count);
			expect(nmse(some, all), `contexts of sequences ${first} .. ${first + count}`).toBeLessThan(1e-12);
		}
	});

	it("refuses a missing constant and contexts beyond the sequences", async () => {
		const keyValues = context(0, 3);
		const request = { x, sequences, tokens, modulation: timeSilu };
		const wide = { ...keyValues, shape: [Math.floor((3 * contextTokens * config.contextChannels) / 64), 64] };
		await expect(
			runGraph(device, (graph) =>
				recordModulatedTransformerBlock(graph, block, {
					...request,
					modulation: recordModulation(graph, block, timeSilu),
					context: { keyValues: { ...wide, shape: [contextTokens, 64] }, tokens: contextTokens },
				}),
			),
		).rejects.toThrow(/zero constant/);
		await expect(
			runGraph(device, (graph) =>
				recordModulatedTransformerBlock(graph, block, {
					...request,
					modulation: recordModulation(graph, block, timeSilu),
					context: { keyValues: { ...wide, shape: [contextTokens, 64] }, tokens: contextTokens, firstSequence: 3 },
				}),
			),
		).rejects.toThrow(/for 3 sequences/);
	});
});

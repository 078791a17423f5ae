import { describe, expect, test } from "vitest";
import { syntheticFloat32, syntheticNormals } from "../../../engine/random/synthetic.ts";
import {
	generateInput,
	generateStage2Input,
	goldenWeights,
	hostTensor,
	parseInit,
	unlistedInput,
} from "../../../runners/parity/goldenTensors.ts";
import { memoryByteSource } from "../../../weights/byteSource.ts";
import { openSafetensors } from "../../../weights/safetensors.ts";
import { toFloat32 } from "../../../weights/storedTensor.ts";
import { safetensorsBytes } from "../../support/safetensorsBytes.ts";
import { storedFromFloat32 } from "../../support/storedFromFloat32.ts";

const stored = () =>
	openSafetensors(memoryByteSource("weights", safetensorsBytes(new Map([["kept", storedFromFloat32(Float32Array.of(1, 2), [2])]]))));

describe("goldenTensors", () => {
	test("all forms of an init", () => {
		expect(parseInit([0.5, 2])).toEqual({ generator: undefined, offset: 0.5, scale: 2 });
		expect(parseInit(["g", 0.5, 2])).toEqual({ generator: "g", offset: 0.5, scale: 2 });
		expect(parseInit({ name: "g", offset: 0.5, scale: 2 })).toEqual({ generator: "g", offset: 0.5, scale: 2 });
		expect(parseInit(undefined)).toBeUndefined();
	});

	test("stage 1: stored tensors are read, missing ones made", async () => {
		const meta = { seed: 5, weights: { kept: { shape: [2], dtype: "float32" }, made: { shape: [3], dtype: "float32", init: [1, 0.3] } } };
		const weights = goldenWeights(await stored(), meta);
		expect([...(weights.entries?.keys() ?? [])]).toEqual(["kept", "made"]);
		expect([...toFloat32(await weights.read("kept", [2]))]).toEqual([1, 2]);
		expect(toFloat32(await weights.read("made", [3]))).toEqual(syntheticFloat32("made", [3], 5, { offset: 1, scale: 0.3 }));
		await expect(weights.read("unknown", [3])).rejects.toThrow('"unknown"');
	});

	test("stage 2: the table has scale before offset, and no shapes", async () => {
		const weights = goldenWeights(await stored(), { seed: 0, weight_init: { table: { made: [0.3, 1] } } });
		expect(weights.entries).toBeUndefined();
		expect(toFloat32(await weights.read("made", [3]))).toEqual(syntheticFloat32("made", [3], 0, { offset: 1, scale: 0.3 }));
	});

	test("inputs of full-size cases", () => {
		expect(unlistedInput("slat_flow", "x", 8645)).toEqual({ generator: "noise", shape: [8645, 8] });
		expect(unlistedInput("slat_decoder_gs", "mv_img", 8645)?.shape).toEqual([1, 4, 64, 64, 4096]);
		expect(unlistedInput("slat_flow", "t", 8645)).toBeUndefined();
		expect(generateStage2Input({ generator: "x", shape: [4] }, 2).data).toEqual(syntheticNormals("input:x", [4], 2));
		expect(generateInput("x", [4], 2, { generator: "c/x", offset: 0, scale: 1 }).data).toEqual(
			syntheticFloat32("c/x", [4], 2, { offset: 0, scale: 1 }),
		);
	});

	test("host arrays keep whole numbers whole", () => {
		const bytes = new Uint8Array(BigInt64Array.of(7n, -1n).buffer);
		expect(hostTensor({ dtype: "I64", shape: [2], bytes }, "f").data).toEqual(Int32Array.of(7, -1));
		expect(hostTensor({ dtype: "U8", shape: [2], bytes: Uint8Array.of(1, 2) }, "f").data).toEqual(Uint8Array.of(1, 2));
	});
});

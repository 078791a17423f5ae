import { describe, expect, test } from "vitest";
import { float16ToFloat32 } from "../../engine/gpu/float16.ts";
import {
	fnv1a32,
	initRule,
	syntheticFloat16,
	syntheticFloat32,
	syntheticKey,
	syntheticNormals,
	syntheticUniforms,
} from "../../engine/random/synthetic.ts";
import { sha256 } from "../support/sha256.ts";

// Expected values: the reference kit's synthetic.py and stage2/refkit.py, run with numpy 1.24.
describe("synthetic", () => {
	test("keys of names", () => {
		expect(fnv1a32("")).toBe(0x811c9dc5);
		expect(syntheticKey("vae/encoder.conv_in.weight", 0)).toBe(3773080680);
		expect(syntheticKey("dinov2/blocks.0.ls1.gamma", 0)).toBe(1249180883);
		expect(syntheticKey("slat_flow_model/out_layer.bias", 0)).toBe(2935661538);
	});

	test("first values of three parameters", () => {
		const first = (component: string, parameter: string, shape: number[]) =>
			[...syntheticFloat32(`${component}/${parameter}`, shape, 0, initRule(parameter, shape))].slice(0, 4);
		expect(first("vae", "encoder.conv_in.weight", [4, 3, 3, 3])).toEqual([0.18505859375, 0.07940673828125, -0.332275390625, 0.22021484375]);
		expect(first("dinov2", "blocks.0.ls1.gamma", [5])).toEqual([0.5869140625, 0.8466796875, 0.309326171875, 0.748046875]);
		expect(first("slat_flow_model", "out_layer.bias", [4])).toEqual([0.034515380859375, -0.12493896484375, 0.1650390625, -0.1444091796875]);
	});

	test("a million values of other seeds, bit for bit", () => {
		expect(sha256(syntheticFloat16("x/y.weight", [1_000_000], 7, { offset: 0.6, scale: 0.3 }))).toBe("0322cb4b373c9c82");
		expect(sha256(syntheticFloat16("x/y.weight", [1_000_000], 1234, { offset: 0, scale: 0.01 }))).toBe("e116e6368b6b8131");
		expect(sha256(syntheticFloat32("x/y.weight", [1_000_000], 1234, { offset: 0, scale: 0.01 }))).toBe("e83c8d2704c07f5f");
		expect(sha256(syntheticNormals("input:noise", [8645, 8], 0))).toBe("53cc32637442e807");
	});

	test("float32 and float16 hold the same numbers", () => {
		const distribution = { offset: -0.3, scale: 1e-4 };
		expect(syntheticFloat32("a", [1000], 3, distribution)).toEqual(float16ToFloat32(syntheticFloat16("a", [1000], 3, distribution)));
	});

	test("a stream can be taken from any element on", () => {
		expect(syntheticUniforms("s", 10, 5, 90)).toEqual(syntheticUniforms("s", 100, 5).slice(90));
	});

	test("a parameter's distribution follows its name and shape", () => {
		expect(initRule("cls_token", [1, 1, 8])).toEqual({ offset: 0, scale: 0.5 });
		expect(initRule("embeddings.position_embedding.weight", [257, 48])).toEqual({ offset: 0, scale: 0.5 });
		expect(initRule("q_rms_norm.gamma", [16, 64])).toEqual({ offset: 1, scale: 0.3 });
		expect(initRule("ls1.gamma", [64])).toEqual({ offset: 0.6, scale: 0.3 });
		expect(initRule("norm.weight", [64])).toEqual({ offset: 1, scale: 0.3 });
		expect(initRule("conv.weight", [4, 3, 3, 3], 2)).toEqual({ offset: 0, scale: (2 * Math.sqrt(3)) / Math.sqrt(27) });
	});
});

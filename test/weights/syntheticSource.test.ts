import { describe, expect, test } from "vitest";
import { createTensor } from "../../engine/gpu/tensor.ts";
import { initRule, syntheticFloat32, syntheticKey } from "../../engine/random/synthetic.ts";
import { toFloat32 } from "../../weights/storedTensor.ts";
import { type SyntheticStream, syntheticSource } from "../../weights/syntheticSource.ts";

describe("syntheticSource", () => {
	test("makes any tensor by its component's name and the rule", async () => {
		const source = syntheticSource({ name: "synthetic:tiny/vae", seed: 3, component: "vae" });
		expect(source.entries).toBeUndefined();
		const shape = [4, 3, 3, 3];
		const stored = await source.read("encoder.conv_in.weight", shape);
		expect(stored).toMatchObject({ dtype: "F16", shape });
		expect(toFloat32(stored)).toEqual(syntheticFloat32("vae/encoder.conv_in.weight", shape, 3, initRule("encoder.conv_in.weight", shape)));
	});

	test("follows a table with generator names", async () => {
		const source = syntheticSource({ name: "golden", seed: 0, distributionOf: () => ({ generator: "other", offset: 1, scale: 0.5 }) });
		expect(toFloat32(await source.read("w", [7]))).toEqual(syntheticFloat32("other", [7], 0, { offset: 1, scale: 0.5 }));
	});

	test("computed buffers keep their own values", async () => {
		const source = syntheticSource({ name: "s", seed: 0, component: "c" });
		const position = await source.read("pos_emb", [8, 12]);
		expect(position.dtype).toBe("F32");
		// Voxel (1, 1, 1): two sines, two cosines an axis.
		expect([...toFloat32(position).slice(7 * 12, 7 * 12 + 4)].map((v) => Number(v.toFixed(5)))).toEqual([0.84147, 0.01, 0.5403, 0.99995]);
		const offsets = toFloat32(await source.read("offset_perturbation", [32, 3]));
		expect(offsets[0]).toBeCloseTo(Math.atanh(-1 / 1.5), 6);
		expect(offsets[3]).toBeCloseTo(Math.atanh((2 / 32 - 1) / 1.5), 6);
	});

	test("hands large tensors to the device, with their stream, but no computed buffer", async () => {
		const streams: SyntheticStream[] = [];
		const source = syntheticSource({
			name: "s",
			seed: 9,
			component: "c",
			fillOnDevice: async (stream) => {
				streams.push(stream);
				return true;
			},
		});
		const target = createTensor("t", "f16", [4, 4], "resident");
		expect(await source.fillOnDevice?.("w.bias", [4, 4], { dtype: "f16" }, target)).toBe(true);
		expect(await source.fillOnDevice?.("pos_emb", [8, 12], { dtype: "f16" }, target)).toBe(false);
		expect(streams).toEqual([{ key: syntheticKey("c/w.bias", 9), offset: 0, scale: 0.2 }]);
	});
});

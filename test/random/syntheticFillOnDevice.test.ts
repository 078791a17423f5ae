import { expect, it } from "vitest";
import { readTensor, release } from "../../engine/gpu/transfer.ts";
import { syntheticFillOnDevice } from "../../engine/random/syntheticFillOnDevice.ts";
import { syntheticSource } from "../../weights/syntheticSource.ts";
import { Weights } from "../../weights/weights.ts";
import { testDevice } from "../support/gpu.ts";

it("loads the same weights as the CPU's generator, whole and stacked, and leaves small tensors to it", async () => {
	const device = await testDevice();
	let filled = 0;
	const onDevice = syntheticFillOnDevice(device);
	const counted: typeof onDevice = async (...call) => {
		const done = await onDevice(...call);
		if (done) filled++;
		return done;
	};
	const values: Float32Array[][] = [];
	for (const fillOnDevice of [undefined, counted]) {
		const weights = Weights.open(
			syntheticSource({ name: "synthetic:test", component: "vae", seed: 0, ...(fillOnDevice && { fillOnDevice }) }),
		);
		const tensors = [
			weights.at("conv").tensor("weight", [128, 64, 3, 3], { dtype: "f16", permute: [0, 2, 3, 1] }),
			weights.stacked(["q.weight", "k.weight"], [320, 256], { dtype: "f32" }),
			weights.tensor("bias", [64], { dtype: "f32" }),
		];
		await weights.load(device);
		values.push(await Promise.all(tensors.map((tensor) => readTensor(device, tensor))));
		for (const tensor of tensors) release(device, tensor.storage);
	}
	expect(filled).toBe(3);
	values[0].forEach((expected, i) => {
		expect(values[1][i].findIndex((value, at) => value !== expected[at])).toBe(-1);
	});
});

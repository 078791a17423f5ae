import { expect, it } from "vitest";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { packColors } from "../../../engine/kernels/splat/packColors.ts";
import { truncatedColors } from "../../../engine/splat/renderGaussians.ts";
import { randomValues, runGraph, testDevice } from "../../support/gpu.ts";

it("drops fractions as upstream does, red in the lowest byte", async () => {
	const device = await testDevice();
	const [height, width] = [13, 7];
	const values = randomValues(height * width * 4, 3, 1.3);
	values.set([-1, 0, 0.999, 1, 7, 128 / 255, 254 / 255, 1e-9]);
	const [packed] = await runGraph(device, (graph) => {
		const tensor = graph.tensor("packed", "u32", [height, width]);
		packColors(graph, residentTensor(device, "color", "f32", [height, width, 4], values), tensor);
		return tensor;
	});
	expect([...new Uint8Array(Uint32Array.from(packed).buffer)].slice(0, 8)).toEqual([0, 0, 254, 255, 255, 128, 254, 0]);
	// Values of 25 bits and more pass through float32 in this test: the three lower bytes are exact where the highest is 0.
	const expected = new Uint32Array(truncatedColors(values).buffer);
	expected.forEach((value, i) => {
		expect(Math.fround(value)).toBe(packed[i]);
	});
});

import { expect, it } from "vitest";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { maxPool } from "../../../engine/kernels/dense/maxPool.ts";
import { randomValues, runGraph, testDevice, wholeAndInWindows } from "../../support/gpu.ts";

function reference(x: Float32Array, [images, height, width, channels]: readonly number[]): number[] {
	const y: number[] = [];
	for (let image = 0; image < images; image++)
		for (let i = 0; i < height; i += 2)
			for (let j = 0; j < width; j += 2)
				for (let c = 0; c < channels; c++) {
					let most = Number.NEGATIVE_INFINITY;
					for (let a = i; a < Math.min(height, i + 2); a++)
						for (let b = j; b < Math.min(width, j + 2); b++) most = Math.max(most, x[((image * height + a) * width + b) * channels + c]);
					y.push(most);
				}
	return y;
}

for (const shape of [
	[1, 6, 8, 4],
	[3, 5, 7, 3],
	[2, 1, 9, 8],
] as const) {
	for (const dtype of ["f32", "f16"] as const) {
		it(`takes the largest of 2 x 2 of [${shape}] in ${dtype}, half windows too`, async () => {
			const device = await testDevice();
			const bits = float32ToFloat16(
				randomValues(
					[...shape].reduce<number>((a, b) => a * b, 1),
					3,
				).map((v) => v - 2),
			);
			const x = float16ToFloat32(bits);
			const [y] = await runGraph(device, (graph) => maxPool(graph, residentTensor(device, "x", dtype, shape, dtype === "f16" ? bits : x)));
			expect([...y]).toEqual(reference(x, shape));
		});
	}
}

it("splits into windows of images", async () => {
	const shape = [4, 16, 16, 4];
	const [whole, inWindows] = await wholeAndInWindows(8192, (graph, tensor) =>
		maxPool(graph, tensor("x", "f32", shape, randomValues(4096, 1))),
	);
	expect(inWindows).toEqual(whole);
});

it("refuses what is no picture", async () => {
	const device = await testDevice();
	await expect(
		runGraph(device, (graph) => maxPool(graph, residentTensor(device, "x", "f32", [2, 3, 4], new Float32Array(24)))),
	).rejects.toThrow(/x must be \[images, height, width, channels\], got f32\[2,3,4\]/);
});

import { expect, it } from "vitest";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { compositeTiles } from "../../../engine/kernels/splat/compositeTiles.ts";
import { runGraph, testDevice } from "../../support/gpu.ts";

/** Values of the one pixel of a picture under Gaussians centred on it: [opacity, grey, depth], nearest first. */
async function onePixel(...gaussians: (readonly [number, number, number])[]): Promise<number[]> {
	const device = await testDevice();
	const rows = gaussians.flatMap(([opacity, grey, depth]) => [0, 0, depth, opacity, 1, 0, 1, 3, grey, grey, grey, 0]);
	const upload = (label: string, values: number[]) => residentTensor(device, label, "u32", [values.length], Uint32Array.from(values));
	const [color, depth] = await runGraph(device, (graph) => {
		const pictures = { color: graph.tensor("color", "f32", [1, 1, 4]), depth: graph.tensor("depth", "f32", [1, 1]) };
		compositeTiles(graph, {
			projected: residentTensor(device, "projected", "f32", [gaussians.length, 12], Float32Array.from(rows)),
			members: upload("members", [...gaussians.keys()]),
			starts: upload("starts", [0, gaussians.length]),
			background: [0, 0, 1],
			...pictures,
		});
		return [pictures.color, pictures.depth];
	});
	return [...color, ...depth];
}

const near = (...values: number[]) => values.map((value) => expect.closeTo(value, 5));

it("blends front to back over the background, with the mean depth of what is seen", async () => {
	expect(await onePixel([0.5, 1, 2], [0.5, 0.4, 4])).toEqual(near(0.6, 0.6, 0.85, 0.75, (0.5 * 2 + 0.25 * 4) / 0.75));
});

it("caps alpha at 0.99", async () => {
	expect(await onePixel([1, 1, 2])).toEqual(near(0.99, 0.99, 1, 0.99, 2));
});

it("skips alpha below 1/255", async () => {
	expect(await onePixel([0.0039, 1, 2], [0.5, 1, 3])).toEqual(near(0.5, 0.5, 1, 0.5, 3));
});

it("ends before transmittance drops below 1e-4, and does not blend what would bring it there", async () => {
	// 0.01 is left behind the first, 0.00015 behind the second; 0.000075 is too little, so the third is not seen.
	expect(await onePixel([0.99, 0, 2], [0.985, 1, 3], [0.5, 9, 4])).toEqual(near(0.00985, 0.00985, 0.01, 0.99985, 2.00985));
	expect((await onePixel([0.99, 0, 2], [0.5, 1, 3], [0.99, 9, 4], [0.5, 9, 4]))[3]).toBeCloseTo(0.995, 6);
});

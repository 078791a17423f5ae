import { expect, it } from "vitest";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { tilePairs } from "../../../engine/kernels/splat/tilePairs.ts";
import { runGraph, testDevice } from "../../support/gpu.ts";

it("lists every tile of a Gaussian, Gaussians in the order given, none for those without a count", async () => {
	const device = await testDevice();
	const upload = (label: string, shape: readonly number[], ...values: number[]) =>
		residentTensor(device, label, "u32", shape, Uint32Array.from(values));
	const [tiles, members] = await runGraph(device, (graph) => {
		const pairs = tilePairs(graph, {
			order: upload("order", [3], 2, 1, 0),
			offsets: upload("offsets", [4], 0, 4, 4, 5),
			rectangles: upload("rectangles", [3, 4], 4, 2, 5, 3, 0, 0, 5, 5, 1, 0, 3, 2),
			tilesAcross: 5,
			capacity: 6,
		});
		return [pairs.tiles, pairs.members];
	});
	expect([...tiles.subarray(0, 5)]).toEqual([1, 2, 6, 7, 14]);
	expect([...members.subarray(0, 5)]).toEqual([2, 2, 2, 2, 0]);
});

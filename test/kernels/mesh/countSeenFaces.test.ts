import { expect, it } from "vitest";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { countSeenFaces } from "../../../engine/kernels/mesh/countSeenFaces.ts";
import { runGraph, testDevice } from "../../support/gpu.ts";

for (const [faces, views, size] of [
	[1, 1, 1],
	[131, 2, 5],
	[7, 3, 11],
] as const) {
	it(`adds ${faces} faces' bits and clears ${views} pictures`, async () => {
		const device = await testDevice();
		const bits = Uint32Array.from({ length: faces }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0);
		const [seen, nearest, counts] = await runGraph(device, (graph) => {
			const tensors = {
				seen: residentTensor(device, "seen", "u32", [faces], bits),
				nearest: residentTensor(device, "nearest", "u32", [views, size, size], new Uint32Array(views * size * size).fill(9)),
				counts: residentTensor(device, "counts", "u32", [faces], new Uint32Array(faces).fill(5)),
			};
			countSeenFaces(graph, tensors);
			return Object.values(tensors);
		});
		expect(seen.every((value) => value === 0) && nearest.every((value) => value === 0)).toBe(true);
		expect([...counts]).toEqual(Array.from(bits, (value) => 5 + value.toString(2).replaceAll("0", "").length));
	});
}

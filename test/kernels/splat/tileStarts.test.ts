import { expect, it } from "vitest";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { tileStarts } from "../../../engine/kernels/splat/tileStarts.ts";
import { runGraph, testDevice } from "../../support/gpu.ts";

it("finds where every tile begins, empty ones too, and looks at no more than the pairs there are", async () => {
	const device = await testDevice();
	const tiles = residentTensor(device, "tiles", "u32", [8], Uint32Array.of(1, 1, 1, 3, 4, 4, 0, 0));
	const starts = async (pairs: number) => (await runGraph(device, (graph) => tileStarts(graph, tiles, pairs, 6)))[0];
	expect([...(await starts(6))]).toEqual([0, 0, 3, 3, 4, 6, 6]);
	expect([...(await starts(0))]).toEqual([0, 0, 0, 0, 0, 0, 0]);
	expect([...(await starts(1))]).toEqual([0, 0, 1, 1, 1, 1, 1]);
});

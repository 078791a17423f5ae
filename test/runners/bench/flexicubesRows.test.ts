import { expect, it } from "vitest";
import { figureCubes, flexicubesRows } from "../../../runners/bench/flexicubesRows.ts";
import { testDevice } from "../../support/gpu.ts";

it("has the cubes of PyTorch's benchmark", () => {
	expect(figureCubes(256).length / 3).toBe(371_904);
});

it("times a mesh without and with colours, and keeps no memory", async () => {
	const device = await testDevice();
	const before = device.memory.currentBytes;
	const rows = await flexicubesRows(device, 32);
	expect(rows.map(({ name }) => name)).toEqual(["FlexiCubes 32^3", "FlexiCubes 32^3, with colours"]);
	expect(rows[0].shape).toMatch(/^\d+ cubes, [1-9]\d* vertices, [1-9]\d* faces$/);
	for (const { elapsedMs, peakBytes } of rows) expect([elapsedMs > 0, (peakBytes ?? 0) > 0]).toEqual([true, true]);
	expect(device.memory.currentBytes).toBe(before);
});

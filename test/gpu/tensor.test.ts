import { describe, expect, it } from "vitest";
import { createTensor, reshape, rowsOf } from "../../engine/gpu/tensor.ts";

describe("a tensor in blocks", () => {
	const tensor = { ...createTensor("w", "f16", [2, 16, 64], "resident"), inBlocks: true };

	it("keeps its rows when it is reshaped", () => {
		expect(reshape(tensor, [32, 64])).toMatchObject({ shape: [32, 64], inBlocks: true });
		expect(() => reshape(tensor, [64, 32])).toThrow("f16[2,16,64] in blocks must keep its rows, got [64,32]");
	});

	it("shows whole blocks", () => {
		expect(rowsOf(tensor, 1, 1)).toMatchObject({ shape: [1, 16, 64], byteOffset: 2048, inBlocks: true });
		expect(rowsOf(reshape(tensor, [32, 64]), 8, 16).byteOffset).toBe(1024);
		for (const [start, rows] of [
			[4, 8],
			[8, 4],
		])
			expect(() => rowsOf(reshape(tensor, [32, 64]), start, rows)).toThrow("are not whole blocks");
	});
});

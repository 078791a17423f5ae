import { describe, expect, it } from "vitest";
import { voxelSet } from "../../../engine/kernels/sparse/voxelSet.ts";

describe("voxelSet", () => {
	it("keeps the order of rows where it is lexicographic", () => {
		const set = voxelSet(Int32Array.of(0, 1, 1, 2, 0, 1, 1, 3, 1, 0, 0, 0));
		expect(set.count).toBe(3);
		expect(set.rowOfRank).toBeUndefined();
		expect(set.extent).toEqual([2, 4, 4, 6]);
		expect(set.origin).toEqual([0, -1, -1, -1]);
	});

	it("knows the rows of any other order", () => {
		expect(voxelSet(Int32Array.of(0, 5, 0, 0, 0, 1, 9, 0, 0, 1, 2, 0)).rowOfRank).toEqual(Int32Array.of(2, 1, 0));
	});

	it("takes no voxels and negative coordinates", () => {
		expect(voxelSet(new Int32Array(0)).count).toBe(0);
		expect(voxelSet(Int32Array.of(0, -7, -1, 3)).origin).toEqual([0, -8, -2, 2]);
	});

	it("refuses a voxel given twice, halves of rows and boxes beyond its index", () => {
		expect(() => voxelSet(Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3))).toThrow(/given twice, the second time in row 1/);
		expect(() => voxelSet(Int32Array.of(0, 1, 2))).toThrow(/\[n,4\]/);
		expect(() => voxelSet(Int32Array.of(0, 0, 0, 0, 0, 2000, 2000, 2000))).toThrow(/too many cells/);
	});
});

import { describe, expect, it } from "vitest";
import { imageColumnRows, voxelColumnRows } from "../../engine/layers/dualCrossAttentionRows.ts";

describe("rows of the dual cross attention", () => {
	it("a voxel sees front and back at column x, right and left at column y, z from the bottom row up", () => {
		const [halves, resolution] = [2, 4];
		const rows = imageColumnRows(halves, resolution);
		expect(rows.length).toBe(halves * resolution ** 3 * 4);
		const [half, x, y, z] = [1, 3, 1, 0];
		const voxel = ((half * resolution + x) * resolution + y) * resolution + z;
		const pixel = (view: number, row: number, column: number) => ((half * 4 + view) * resolution + row) * resolution + column;
		const expected = [pixel(0, 3, x), pixel(2, 3, x), pixel(1, 3, y), pixel(3, 3, y)];
		expect([...rows.subarray(voxel * 4, voxel * 4 + 4)]).toEqual(expected);
	});

	it("a pixel sees the voxels behind it in its own half and domain", () => {
		const [halves, side] = [2, 3];
		const rows = voxelColumnRows(halves, side);
		const [half, domain, row, column] = [1, 1, 0, 2];
		const voxel = (x: number, y: number, z: number) => (((domain * halves + half) * side + x) * side + y) * side + z;
		const seen = (view: number) => {
			const pixel = (((half * 4 + view) * 2 + domain) * side + row) * side + column;
			return [...rows.subarray(pixel * side, (pixel + 1) * side)];
		};
		const along = (at: (k: number) => number) => [0, 1, 2].map(at);
		expect(seen(0)).toEqual(along((k) => voxel(2, k, 2)));
		expect(seen(2)).toEqual(seen(0));
		expect(seen(1)).toEqual(along((k) => voxel(k, 2, 2)));
		expect(seen(3)).toEqual(seen(1));
	});
});

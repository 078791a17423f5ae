import { describe, expect, it } from "vitest";
import { imageColumnRows, voxelColumnRows } from "../../engine/layers/dualCrossAttentionRows.ts";

describe("rows of the dual cross attention", () => {
	it("a voxel sees front and back at column x, right and left at column y, z from the bottom row up", () => {
		const resolution = 4;
		const rows = imageColumnRows(resolution);
		expect(rows.length).toBe(resolution ** 3 * 4);
		const [x, y, z] = [3, 1, 0];
		const voxel = (x * resolution + y) * resolution + z;
		const pixel = (view: number, row: number, column: number) => (view * resolution + row) * resolution + column;
		const expected = [pixel(0, 3, x), pixel(2, 3, x), pixel(1, 3, y), pixel(3, 3, y)];
		expect([...rows.subarray(voxel * 4, voxel * 4 + 4)]).toEqual(expected);
	});

	it("a pixel sees the voxels behind it in its own domain", () => {
		const side = 3;
		const rows = voxelColumnRows(side);
		const [domain, row, column] = [1, 0, 2];
		const voxel = (x: number, y: number, z: number) => ((domain * side + x) * side + y) * side + z;
		const seen = (view: number) => {
			const pixel = ((view * 2 + domain) * side + row) * side + column;
			return [...rows.subarray(pixel * side, (pixel + 1) * side)];
		};
		const along = (at: (k: number) => number) => [0, 1, 2].map(at);
		expect(seen(0)).toEqual(along((k) => voxel(2, k, 2)));
		expect(seen(2)).toEqual(seen(0));
		expect(seen(1)).toEqual(along((k) => voxel(k, 2, 2)));
		expect(seen(3)).toEqual(seen(1));
	});
});

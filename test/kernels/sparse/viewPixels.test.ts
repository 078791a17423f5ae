import { describe, expect, it } from "vitest";
import { viewPixels } from "../../../engine/kernels/sparse/viewPixels.ts";
import { bodyVoxels } from "../../support/voxels.ts";

describe("viewPixels", () => {
	it("gives each voxel row 63 - z and columns x and y, each pixel once", () => {
		const coords = bodyVoxels([{ resolution: 64, height: 0.4, halfThickness: 0.5 }]);
		const { frontBack, sides, positions } = viewPixels(coords, 64);
		for (let row = 0; row < coords.length / 4; row++) {
			const [, x, y, z] = coords.subarray(row * 4, row * 4 + 4);
			expect(frontBack[positions[row * 2]]).toBe((63 - z) * 64 + x);
			expect(sides[positions[row * 2 + 1] - frontBack.length]).toBe((63 - z) * 64 + y);
		}
		for (const list of [frontBack, sides]) expect([...list]).toEqual([...new Set(list)].sort((a, b) => a - b));
	});

	it("scales to smaller maps and refuses voxels outside the grid", () => {
		expect(viewPixels(Int32Array.of(0, 63, 32, 0), 16)).toEqual({
			frontBack: Int32Array.of(15 * 16 + 15),
			sides: Int32Array.of(15 * 16 + 8),
			positions: Int32Array.of(0, 1),
		});
		expect(() => viewPixels(Int32Array.of(0, 0, 64, 0), 64)).toThrow(/outside the grid/);
	});
});

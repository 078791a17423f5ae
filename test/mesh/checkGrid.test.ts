import { describe, expect, it } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { checkGrid, checkResolution, gridCoordinates } from "../../engine/mesh/checkGrid.ts";

describe("checkGrid", () => {
	it("takes cubes in any order, and none", () => {
		checkGrid(Int32Array.of(4, 4, 4, 0, 0, 0, 1, 0, 0), 5);
		checkGrid(new Int32Array(0), 3);
		expect(gridCoordinates((3 * 6 + 4) * 6 + 5, 6)).toEqual([3, 4, 5]);
	});

	it.each([
		[Int32Array.of(0, 0, 4), 4, "outside the 4^3 grid"],
		[Int32Array.of(0, -1, 0), 4, "outside the 4^3 grid"],
		[Int32Array.of(1, 2, 3, 1, 2, 3), 4, "given twice, the second time in row 1"],
	])("refuses %s at %i", (coords, resolution, message) => {
		expect(() => checkGrid(coords, resolution)).toThrow(SyncHumanError);
		expect(() => checkGrid(coords, resolution)).toThrow(message);
	});

	it.each([0, 2000, 1.5])("refuses a resolution of %d", (resolution) => {
		expect(() => checkResolution(resolution)).toThrow("resolution must be 1..1289");
	});
});

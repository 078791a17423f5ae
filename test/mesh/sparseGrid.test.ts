import { describe, expect, it } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { absent, members } from "../../engine/mesh/bitRank.ts";
import { cornerVertex, gridCoordinates, sparseGrid } from "../../engine/mesh/sparseGrid.ts";

describe("sparseGrid", () => {
	it("indexes cubes and vertices whatever the order of the rows", () => {
		const resolution = 5;
		const coords = Int32Array.from([4, 4, 4, 0, 0, 0, 1, 0, 0, 2, 3, 1, 1, 1, 0]);
		const grid = sparseGrid(coords, resolution);
		expect([...members(grid.cubes)]).toEqual([0, 25, 30, 66, 124]);
		expect([...grid.rowOfCube]).toEqual([1, 2, 4, 3, 0]);
		const expected = new Map<number, number[]>();
		for (let row = 0; row < 5; row++) {
			for (let corner = 0; corner < 8; corner++) {
				const [x, y, z] = [0, 1, 2].map((axis) => coords[row * 3 + axis] + ((corner >> axis) & 1));
				const id = (x * 6 + y) * 6 + z;
				expect(cornerVertex(coords[row * 3], coords[row * 3 + 1], coords[row * 3 + 2], corner, 6)).toBe(id);
				expect(gridCoordinates(id, 6)).toEqual([x, y, z]);
				expected.set(id, [...(expected.get(id) ?? []), row * 8 + corner]);
			}
		}
		const ids = [...expected.keys()].sort((a, b) => a - b);
		expect([...members(grid.vertices)]).toEqual(ids);
		expect([...grid.cubesOfVertex]).toEqual(
			ids.flatMap((id) => [...(expected.get(id) ?? []), ...new Array<number>(8).fill(absent)].slice(0, 8)),
		);
	});

	it("takes no cubes at all", () => {
		const grid = sparseGrid(new Int32Array(0), 3);
		expect([grid.cubes.count, grid.vertices.count, grid.cubesOfVertex.length]).toEqual([0, 0, 0]);
	});

	it.each([
		[Int32Array.of(0, 0, 4), 4, "outside the 4^3 grid"],
		[Int32Array.of(0, -1, 0), 4, "outside the 4^3 grid"],
		[Int32Array.of(1, 2, 3, 1, 2, 3), 4, "given twice, the second time in row 1"],
		[Int32Array.of(1, 2), 4, "[n, 3]"],
		[Int32Array.of(), 0, "resolution"],
		[Int32Array.of(), 2000, "resolution"],
	])("refuses %s at %i", (coords, resolution, message) => {
		const build = () => sparseGrid(coords, resolution);
		expect(build).toThrow(SyncHumanError);
		expect(build).toThrow(message);
	});
});

import { describe, expect, it } from "vitest";
import { submanifoldNeighbours } from "../../../engine/kernels/sparse/submanifoldNeighbours.ts";
import { voxelSet } from "../../../engine/kernels/sparse/voxelSet.ts";
import { bodyVoxels, rowsByName, shuffled } from "../../support/voxels.ts";

/** By look-up of each neighbour's name. */
function reference(coords: Int32Array): Int32Array {
	const rows = rowsByName(coords);
	const table: number[] = [];
	for (let at = 0; at < coords.length; at += 4) {
		for (let tap = 0; tap < 27; tap++) {
			const neighbour = [Math.floor(tap / 9) - 1, (Math.floor(tap / 3) % 3) - 1, (tap % 3) - 1].map(
				(offset, axis) => coords[at + 1 + axis] + offset,
			);
			table.push(rows.get([coords[at], ...neighbour].join()) ?? -1);
		}
	}
	return Int32Array.from(table);
}

describe("submanifoldNeighbours", () => {
	const body = bodyVoxels([
		{ resolution: 32, height: 0.8, halfThickness: 0.9 },
		{ resolution: 32, height: 0.6, halfThickness: 0.7 },
	]);
	it("finds the 27 neighbours in two batch elements", () => {
		expect(submanifoldNeighbours(voxelSet(body))).toEqual(reference(body));
	});

	it("does so for rows in any order, and at the edge of an index word", () => {
		expect(submanifoldNeighbours(voxelSet(shuffled(body)))).toEqual(reference(shuffled(body)));
		const line = Int32Array.from({ length: 200 * 4 }, (_, i) => (i % 4 === 3 ? Math.floor(i / 4) + 7 : 0));
		expect(submanifoldNeighbours(voxelSet(line))).toEqual(reference(line));
	});

	it("has a row of the table per voxel, and none without voxels", () => {
		expect(submanifoldNeighbours(voxelSet(new Int32Array(0)))).toHaveLength(0);
		expect(submanifoldNeighbours(voxelSet(Int32Array.of(0, 3, 3, 3)))).toEqual(
			Int32Array.from({ length: 27 }, (_, tap) => (tap === 13 ? 0 : -1)),
		);
	});
});

import { describe, expect, it } from "vitest";
import { pooledVoxels } from "../../../engine/kernels/sparse/pooledVoxels.ts";
import { voxelSet } from "../../../engine/kernels/sparse/voxelSet.ts";
import { bodyVoxels, shuffled } from "../../support/voxels.ts";

describe("pooledVoxels", () => {
	for (const order of ["sorted", "shuffled"] as const) {
		it(`lists distinct parents in order, with their children, of ${order} rows`, () => {
			const body = bodyVoxels([
				{ resolution: 32, height: 0.8, halfThickness: 0.9 },
				{ resolution: 32, height: 0.6, halfThickness: 0.7 },
			]);
			const coords = order === "sorted" ? body : shuffled(body);
			const { parents, parentOf, childrenOf } = pooledVoxels(voxelSet(coords));
			const names = Array.from({ length: coords.length / 4 }, (_, row) =>
				Array.from(coords.subarray(row * 4, row * 4 + 4), (value, axis) =>
					String(axis === 0 ? value : Math.floor(value / 2)).padStart(4, "0"),
				).join(),
			);
			const distinct = [...new Set(names)].sort();
			expect(parents.count).toBe(distinct.length);
			expect(
				Array.from({ length: parents.count }, (_, row) =>
					Array.from(parents.coords.subarray(row * 4, row * 4 + 4), (v) => String(v).padStart(4, "0")).join(),
				),
			).toEqual(distinct);
			expect(Array.from(parentOf, (parent) => distinct[parent])).toEqual(names);
			for (let parent = 0; parent < parents.count; parent++) {
				const children = names.flatMap((name, row) => (name === distinct[parent] ? [row] : []));
				expect(Array.from(childrenOf.subarray(parent * 8, parent * 8 + 8))).toEqual([...children, ...Array(8 - children.length).fill(-1)]);
			}
		});
	}
});

import { describe, expect, it } from "vitest";
import { windowPartition } from "../../../engine/kernels/sparse/windowPartition.ts";
import { bodyVoxels, shuffled } from "../../support/voxels.ts";

describe("windowPartition", () => {
	const coords = shuffled(
		bodyVoxels([
			{ resolution: 32, height: 0.8, halfThickness: 0.9 },
			{ resolution: 32, height: 0.6, halfThickness: 0.7 },
		]),
	);
	for (const shift of [0, 4]) {
		it(`groups by window with shift ${shift}, windows and rows in order`, () => {
			const { offsets, rows, largest } = windowPartition(coords, 8, shift);
			const nameOf = (row: number) =>
				Array.from(coords.subarray(row * 4, row * 4 + 4), (value, axis) =>
					String(axis === 0 ? value : Math.floor((value + shift) / 8)).padStart(3, "0"),
				).join();
			const names: string[] = [];
			for (let window = 0; window + 1 < offsets.length; window++) {
				const members = Array.from(rows.subarray(offsets[window], offsets[window + 1]));
				expect(members.length).toBeGreaterThan(0);
				expect(members).toEqual([...members].sort((a, b) => a - b));
				expect(new Set(members.map(nameOf)).size).toBe(1);
				names.push(nameOf(members[0]));
			}
			expect(names).toEqual([...new Set(names)].sort());
			expect([...rows].sort((a, b) => a - b)).toEqual(Array.from({ length: coords.length / 4 }, (_, row) => row));
			expect(largest).toBe(Math.max(...Array.from(offsets.subarray(1), (end, window) => end - offsets[window])));
		});
	}
});

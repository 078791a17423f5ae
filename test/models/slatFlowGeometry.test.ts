import { describe, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.ts";
import { flowTables, slatFlowGeometry } from "../../engine/models/slatFlowGeometry.ts";
import { testDevice } from "../support/gpu.ts";
import { bodyVoxels } from "../support/voxels.ts";

describe("slatFlowGeometry", () => {
	const coords = bodyVoxels([{ resolution: 32, height: 0.8, halfThickness: 0.9 }]);

	it("halves as often as asked, and knows the parents of neighbours", async () => {
		const { levels, poolings } = slatFlowGeometry(coords, 2);
		expect(levels.map(({ set }) => set.count)).toEqual([coords.length / 4, poolings[0].parents.count, poolings[1].parents.count]);
		const graph = new Graph(await testDevice(), "test");
		const tables = flowTables(graph, { levels, poolings });
		const neighbours = graph.constants.get(tables.levels[0].parentNeighbours().storage.label)?.values() ?? [];
		for (let entry = 0; entry < neighbours.length; entry++) {
			const row = levels[0].neighbours[entry];
			expect(neighbours[entry]).toBe(row < 0 ? -1 : poolings[0].parentOf[row]);
		}
		expect(tables.positions(64).shape).toEqual([poolings[1].parents.count, 64]);
	});

	it("refuses a voxel given twice", () => {
		expect(() => slatFlowGeometry(Int32Array.of(0, 1, 1, 1, 0, 1, 1, 1), 1)).toThrow(/given twice/);
	});
});

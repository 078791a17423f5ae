import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { readUnsigned, residentTensor } from "../../../engine/gpu/transfer.ts";
import { compileGraph } from "../../../engine/graph/executable.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { subdividedNeighbours } from "../../../engine/kernels/sparse/subdividedNeighbours.ts";
import { subdividedCoordinates } from "../../../engine/kernels/sparse/subdividedVoxels.ts";
import { submanifoldNeighbours } from "../../../engine/kernels/sparse/submanifoldNeighbours.ts";
import { voxelSet } from "../../../engine/kernels/sparse/voxelSet.ts";
import { testDevice } from "../../support/gpu.ts";
import { bodyVoxels, shuffled } from "../../support/voxels.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

describe("subdividedNeighbours", () => {
	const parents = shuffled(bodyVoxels([{ resolution: 16, height: 0.8, halfThickness: 0.6 }]));
	const children = subdividedCoordinates(parents);

	it("has children in the order of the subdivided coordinates", () => {
		expect(children.subarray(0, 4)).toEqual(Int32Array.of(0, parents[1] * 2, parents[2] * 2, parents[3] * 2));
		expect(children.subarray(28, 32)).toEqual(Int32Array.of(0, parents[1] * 2 + 1, parents[2] * 2 + 1, parents[3] * 2 + 1));
		expect(children.subarray(4, 8)).toEqual(Int32Array.of(0, parents[1] * 2, parents[2] * 2, parents[3] * 2 + 1));
	});

	for (const maxBindingBytes of [undefined, 65536] as const) {
		it(`is the table of the subdivided set${maxBindingBytes ? ", in windows" : ""}`, async () => {
			const on = maxBindingBytes ? await testDevice({ maxBindingBytes }) : device;
			const count = parents.length / 4;
			const graph = new Graph(on, "test");
			const table = residentTensor(on, "parents", "i32", [count, 27], submanifoldNeighbours(voxelSet(parents)));
			const y = graph.output(subdividedNeighbours(graph, table));
			const executable = await compileGraph(graph);
			await executable.run();
			expect(new Int32Array((await readUnsigned(on, y)).buffer)).toEqual(submanifoldNeighbours(voxelSet(children)));
			executable.destroy();
		});
	}
});

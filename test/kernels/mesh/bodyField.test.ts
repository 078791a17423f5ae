import { expect, it } from "vitest";
import type { Graph } from "../../../engine/graph/graph.ts";
import { bodyField } from "../../../engine/kernels/mesh/bodyField.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

interface Maps {
	readonly silhouettes: Float32Array;
	readonly silhouetteSide: number;
	readonly depths: Float32Array;
	readonly depthSide: number;
}

function reference({ silhouettes, silhouetteSide, depths, depthSide }: Maps, resolution: number): number[] {
	const read = (map: Float32Array, side: number, columns: number, which: number, c: number, u: number, v: number) => {
		const x = Math.min(Math.max(u * side - 0.5, 0), side - 1);
		const y = Math.min(Math.max(v * side - 0.5, 0), side - 1);
		const at = (row: number, column: number) =>
			map[((which * side + Math.min(row, side - 1)) * side + Math.min(column, side - 1)) * columns + c];
		const [left, top] = [Math.floor(x), Math.floor(y)];
		return (
			(at(top, left) * (left + 1 - x) + at(top, left + 1) * (x - left)) * (top + 1 - y) +
			(at(top + 1, left) * (left + 1 - x) + at(top + 1, left + 1) * (x - left)) * (y - top)
		);
	};
	const values: number[] = [];
	for (let i = 0; i <= resolution; i++) {
		for (let j = 0; j <= resolution; j++) {
			for (let k = 0; k <= resolution; k++) {
				const [x, y, v] = [i / resolution, j / resolution, 1 - k / resolution];
				let value = Math.max(read(silhouettes, silhouetteSide, 1, 0, 0, x, v), read(silhouettes, silhouetteSide, 1, 1, 0, y, v));
				if (value < 4 / resolution) {
					const slab = (map: number, across: number, own: number, sign: number) =>
						sign * (own - 0.5 - read(depths, depthSide, 2, map, 0, across, v)) * read(depths, depthSide, 2, map, 1, across, v);
					value = Math.max(value, slab(0, x, y, -1), slab(1, x, y, 1), slab(2, y, x, -1), slab(3, y, x, 1));
				}
				values.push(value);
			}
		}
	}
	return values;
}

it("is the largest of silhouettes and slabs at every vertex", async () => {
	const device = await testDevice();
	for (const [resolution, silhouetteSide, depthSide] of [
		[5, 7, 3],
		[16, 1, 20],
		[31, 40, 33],
	]) {
		const maps = {
			...{ silhouetteSide, depthSide },
			silhouettes: randomValues(2 * silhouetteSide ** 2, 1, 0.3),
			depths: randomValues(8 * depthSide ** 2, 2, 0.5).map((value, i) => (i % 2 === 0 ? value : 0.5 + value)),
		};
		const [field] = await runGraph(device, (graph: Graph) => {
			const constant = (label: string, shape: readonly number[], values: Float32Array) => graph.constant(label, "f32", shape, () => values);
			return bodyField(graph, {
				silhouettes: constant("silhouettes", [2, silhouetteSide, silhouetteSide], maps.silhouettes),
				depths: constant("depths", [4, depthSide, depthSide, 2], maps.depths),
				resolution,
			});
		});
		expect(nmse(field, reference(maps, resolution))).toBeLessThan(1e-10);
	}
});

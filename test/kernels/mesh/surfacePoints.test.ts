import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import type { Graph } from "../../../engine/graph/graph.ts";
import { type ActiveCubes, gridWords, markCubes, rowsOfCubes } from "../../../engine/kernels/mesh/activeCubes.ts";
import { rankBits, setLength } from "../../../engine/kernels/mesh/bitSet.ts";
import { insideCorners } from "../../../engine/kernels/mesh/insideCorners.ts";
import { surfacePoints } from "../../../engine/kernels/mesh/surfacePoints.ts";
import { corners } from "../../support/flexicubesReference.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const sdfBias = -1 / 32;

interface Case {
	readonly resolution: number;
	/** [n, 3], in no order. */
	readonly coords: Int32Array;
	readonly features: Float32Array;
	readonly columns: number;
	/** [n, 8], the same wherever it is the same vertex. */
	readonly added: Float32Array | undefined;
}

/** Every vertex of the grid in f64, x, y, z, sdf and colours. */
function reference({ resolution, coords, features, columns, added }: Case): number[][] {
	const side = resolution + 1;
	const at = Array.from({ length: side ** 3 }, () => [] as { row: number; corner: number }[]);
	for (let row = 0; row < coords.length / 3; row++) {
		corners.forEach((offset, corner) => {
			const [x, y, z] = offset.map((o, k) => coords[row * 3 + k] + o);
			at[(x * side + y) * side + z].push({ row, corner });
		});
	}
	return at.map((cubes, vertex) => {
		const mean = (column: (corner: number) => number, bias = 0) =>
			cubes.reduce((sum, { row, corner }) => sum + features[row * columns + column(corner)] + bias, 0) / Math.max(1, cubes.length);
		const grid = [Math.floor(vertex / side ** 2), Math.floor(vertex / side) % side, vertex % side];
		const position = grid.map(
			(v, k) => v / resolution - 0.5 + ((1 - 1e-8) / (2 * resolution)) * Math.tanh(mean((corner) => 8 + corner * 3 + k)),
		);
		const sdf = cubes.length === 0 ? 1 : mean((corner) => corner, sdfBias) + (added?.[cubes[0].row * 8 + cubes[0].corner] ?? 0);
		const colors = columns < 101 ? [] : Array.from({ length: 6 }, (_, k) => 1 / (1 + Math.exp(-mean((corner) => 53 + corner * 6 + k))));
		return [...position, sdf, ...colors];
	});
}

/** Every third cube of a grid, shuffled. */
function made(resolution: number, columns: number, withAdded: boolean): Case {
	const ids = Array.from({ length: resolution ** 3 }, (_, id) => (id * 7919) % resolution ** 3).filter((id) => id % 3 !== 1);
	const coords = Int32Array.from(
		ids.flatMap((id) => [Math.floor(id / resolution ** 2), Math.floor(id / resolution) % resolution, id % resolution]),
	);
	const ofVertex = randomValues((resolution + 1) ** 3, 3);
	const added = Float32Array.from({ length: ids.length * 8 }, (_, i) => {
		const [x, y, z] = corners[i % 8].map((o, k) => coords[(i >> 3) * 3 + k] + o);
		return ofVertex[(x * (resolution + 1) + y) * (resolution + 1) + z];
	});
	return { resolution, coords, features: randomValues(ids.length * columns, 1), columns, added: withAdded ? added : undefined };
}

function upload(own: Device, one: Case) {
	const rows = one.coords.length / 3;
	const words = gridWords(one.resolution).cubes;
	const tensors = {
		coords: residentTensor(own, "coords", "i32", [rows, 3], one.coords),
		features: residentTensor(own, "features", "f32", [rows, one.columns], one.features),
		added: one.added && residentTensor(own, "added", "f32", [rows, 8], one.added),
	};
	const set = { words, tensor: residentTensor(own, "cubes", "u32", [setLength(words)]) };
	const cubes = (graph: Graph): ActiveCubes => {
		markCubes(graph, tensors.coords, one.resolution, set);
		rankBits(graph, set);
		return { resolution: one.resolution, set, rows: rowsOfCubes(graph, tensors.coords, one.resolution, set) };
	};
	return { ...tensors, cubes };
}

for (const [resolution, columns, withAdded] of [
	[1, 53, false],
	[3, 53, true],
	[7, 101, false],
	[8, 101, true],
] as const) {
	const one = made(resolution, columns, withAdded);
	const side = resolution + 1;
	for (const windows of [false, true]) {
		const name = `the cubes of a ${resolution}^3 grid with ${columns} columns${withAdded ? " and an added SDF" : ""}${windows ? ", in windows" : ""}`;
		const limited = () => (windows ? testDevice({ maxBindingBytes: 32 * 1024 }) : Promise.resolve(device));

		describe("surfacePoints", () => {
			it(`averages ${name}`, async () => {
				const own = await limited();
				const { features, added, cubes } = upload(own, one);
				const vertexIds = residentTensor(
					own,
					"ids",
					"u32",
					[side ** 3],
					Uint32Array.from({ length: side ** 3 }, (_, id) => id),
				);
				const [points] = await runGraph(own, (graph) =>
					surfacePoints(graph, { vertexIds, cubes: cubes(graph), features, added, sdfBias, withColors: columns === 101 }),
				);
				expect(nmse(points, reference(one).flat())).toBeLessThan(1e-13);
			});
		});

		describe("insideCorners", () => {
			it(`finds the vertices inside of ${name}`, async () => {
				const own = await limited();
				const { coords, features, added, cubes } = upload(own, one);
				const words = gridWords(resolution).vertices;
				const inside = residentTensor(own, "inside", "u32", [words]);
				const [bits] = await runGraph(own, (graph) => {
					insideCorners(graph, { cubes: cubes(graph), coords, features, added, sdfBias, inside });
					return inside;
				});
				// Words come as f32 of the same value.
				const expected = new Uint32Array(words);
				reference(one).forEach(([, , , sdf], id) => {
					if (sdf < 0) expected[id >> 5] |= 1 << (id & 31);
				});
				expect([...bits]).toEqual([...expected].map(Math.fround));
			});
		});
	}
}

describe("surfacePoints", () => {
	it("refuses features without the columns it needs", async () => {
		const { features, cubes } = upload(device, made(1, 53, false));
		const vertexIds = residentTensor(device, "ids", "u32", [1]);
		await expect(
			runGraph(device, (graph) => surfacePoints(graph, { vertexIds, cubes: cubes(graph), features, sdfBias, withColors: true })),
		).rejects.toThrow("[n,101]");
	});
});

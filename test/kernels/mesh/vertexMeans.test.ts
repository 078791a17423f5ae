import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { vertexMeans } from "../../../engine/kernels/mesh/vertexMeans.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

const absent = 0xffffffff;

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** [channels, v] in f64. */
function reference(
	features: ArrayLike<number>,
	columns: number,
	cubes: Uint32Array,
	channels: number,
	bias: number,
	added?: ArrayLike<number>,
): Float64Array {
	const vertices = cubes.length / 8;
	const means = new Float64Array(channels * vertices);
	for (let v = 0; v < vertices; v++) {
		const rows = [...cubes.subarray(v * 8, v * 8 + 8)].flatMap((cube) => (cube === absent ? [] : [{ row: cube >>> 3, corner: cube & 7 }]));
		for (let k = 0; k < channels; k++) {
			const column = (corner: number) => (k === 0 ? corner : k < 4 ? 8 + corner * 3 + k - 1 : 53 + corner * 6 + k - 4);
			const sum = rows.reduce((total, { row, corner }) => total + features[row * columns + column(corner)] + (k === 0 ? bias : 0), 0);
			means[k * vertices + v] = sum / rows.length + (k === 0 ? (added?.[v] ?? 0) : 0);
		}
	}
	return means;
}

/** Every vertex touches 1 to 8 cubes. */
function randomCubes(vertices: number, rows: number): Uint32Array {
	const random = randomValues(vertices * 8, 7);
	const cubes = new Uint32Array(vertices * 8).fill(absent);
	for (let v = 0; v < vertices; v++) {
		for (let i = 0; i <= v % 8; i++) cubes[v * 8 + i] = Math.floor(Math.abs(random[v * 8 + i]) * rows) * 8 + ((v + i * 3) % 8);
		cubes.subarray(v * 8, v * 8 + 8).sort();
	}
	return cubes;
}

describe("vertexMeans", () => {
	for (const [rows, vertices, columns, withColors] of [
		[1, 1, 53, false],
		[7, 13, 53, false],
		[300, 641, 101, true],
		[257, 300, 101, false],
	] as const) {
		for (const windows of [false, true]) {
			it(`averages ${rows} cubes of ${columns} columns at ${vertices} vertices${windows ? ", in windows" : ""}`, async () => {
				const own = windows ? await testDevice({ maxBindingBytes: 32 * 1024 }) : device;
				const features = randomValues(rows * columns, 1);
				const cubes = randomCubes(vertices, rows);
				const added = randomValues(vertices, 3);
				const [means] = await runGraph(own, (graph) => {
					const result = vertexMeans(graph, {
						features: residentTensor(own, "features", "f32", [rows, columns], features),
						cubesOfVertex: residentTensor(own, "cubes", "u32", [vertices, 8], cubes),
						added: vertices % 2 === 1 ? residentTensor(own, "added", "f32", [vertices], added) : undefined,
						sdfBias: -1 / 32,
						withColors,
					});
					if (windows && rows > 256) expect(graph.dispatches.length).toBeGreaterThan(1);
					return result;
				});
				const expected = reference(features, columns, cubes, withColors ? 10 : 4, -1 / 32, vertices % 2 === 1 ? added : undefined);
				expect(nmse(means, expected)).toBeLessThan(1e-13);
			});
		}
	}

	it("refuses features without the columns it needs", async () => {
		const features = residentTensor(device, "features", "f32", [2, 53]);
		const cubesOfVertex = residentTensor(device, "cubes", "u32", [1, 8]);
		await expect(
			runGraph(device, (graph) => vertexMeans(graph, { features, cubesOfVertex, sdfBias: 0, withColors: true })),
		).rejects.toThrow("[n,101]");
	});
});

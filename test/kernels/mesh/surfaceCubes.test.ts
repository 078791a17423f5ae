import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { release, residentTensor } from "../../../engine/gpu/transfer.ts";
import { emptyBits, mark, members, rankBits } from "../../../engine/mesh/bitRank.ts";
import { flexicubes } from "../../../engine/mesh/flexicubes.ts";
import { referenceFlexicubes } from "../../support/flexicubesReference.ts";
import { randomValues, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** Topology and faces of a dense SDF whose values at `missing` vertices are left to the default +1, without weights. */
async function topologyOf(resolution: number, dense: Float32Array, isMissing: (vertex: number) => boolean) {
	const words = emptyBits(dense.length);
	dense.forEach((_, vertex) => {
		if (!isMissing(vertex)) mark(words, vertex);
	});
	const set = rankBits(dense.length, words);
	const values = new Float32Array(set.count * 4);
	values.set(Float32Array.from(members(set), (vertex) => dense[vertex]));
	const means = residentTensor(device, "means", "f32", [4, set.count], values);
	const features = residentTensor(device, "features", "f32", [1, 21]);
	const cubes = rankBits(resolution ** 3, emptyBits(resolution ** 3));
	const field = { resolution, vertices: set, means, features, weightColumn: 0, cubes, rowOfCube: new Uint32Array(0) };
	const { faces, positions, topology } = await flexicubes(device, { ...field, withTopology: true });
	for (const { storage } of [means, features]) release(device, storage);
	if (topology === undefined) throw new Error("no topology");
	return { ...topology, faces, positions };
}

function referenceOf(resolution: number, dense: Float32Array) {
	const zeros = new Float64Array(dense.length * 6);
	return referenceFlexicubes({ resolution, sdf: dense, deform: zeros, colors: zeros, weights: new Float64Array(resolution ** 3 * 21) });
}

describe("surfaceCubes", () => {
	it.each([1, 2, 3, 7, 8])("agrees with the dense reference on noise at %i^3, with zeros and missing vertices", async (resolution) => {
		for (let seed = 0; seed < 6; seed++) {
			const dense = randomValues((resolution + 1) ** 3, seed);
			dense.forEach((value, vertex) => {
				if (vertex % 11 === 3) dense[vertex] = 0; // 0 is outside, yet not positive
				if (vertex % 7 === seed) dense[vertex] = 1;
				else if (seed > 2) dense[vertex] = value + 0.5; // fewer inside: cases below 128
			});
			const topology = await topologyOf(resolution, dense, (vertex) => vertex % 7 === seed);
			const expected = referenceOf(resolution, dense);
			expect([...topology.cubes]).toEqual(expected.cubes);
			expect([...topology.originalCases]).toEqual(expected.originalCases);
			expect([...topology.cases]).toEqual(expected.cases);
			expect([...topology.edges]).toEqual(expected.edges);
			expect(topology.positions.length).toBe(expected.positions.length);
			expect([...topology.faces]).toEqual(expected.faces);
		}
	});

	it("resolves ambiguous neighbours", () => {
		const expected = referenceOf(8, randomValues(9 ** 3, 1));
		expect(expected.cases.filter((cubeCase, i) => cubeCase !== expected.originalCases[i]).length).toBeGreaterThan(4);
	});

	it("gives a closed surface around a ball", async () => {
		const dense = new Float32Array(9 ** 3).map(
			(_, v) => Math.hypot(Math.floor(v / 81) - 4, (Math.floor(v / 9) % 9) - 4.1, (v % 9) - 3.9) - 2.7,
		);
		const topology = await topologyOf(8, dense, () => false);
		const { faces } = topology;
		const halfEdges = new Set<string>();
		for (let i = 0; i < faces.length; i += 3) {
			for (let k = 0; k < 3; k++) {
				const key = `${faces[i + k]},${faces[i + ((k + 1) % 3)]}`;
				expect(halfEdges.has(key)).toBe(false);
				halfEdges.add(key);
			}
		}
		for (const key of halfEdges) expect(halfEdges.has(key.split(",").reverse().join())).toBe(true);
	});

	it("treats NaN as outside and no surface as empty", async () => {
		const topology = await topologyOf(2, new Float32Array(27).fill(Number.NaN), () => false);
		expect([topology.cubes.length, topology.positions.length, topology.faces.length, topology.edges.length]).toEqual([0, 0, 0, 0]);
	});
});

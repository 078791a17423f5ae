import { describe, expect, it } from "vitest";
import { emptyBits, mark, members, rankBits } from "../../engine/mesh/bitRank.ts";
import { surfaceTopology, trianglesOfQuads } from "../../engine/mesh/surfaceTopology.ts";
import { referenceFlexicubes } from "../support/flexicubesReference.ts";
import { randomValues } from "../support/gpu.ts";

/** Topology of a dense SDF whose values at `missing` vertices are left to the default +1. */
function topologyOf(resolution: number, dense: Float32Array, isMissing: (vertex: number) => boolean) {
	const words = emptyBits(dense.length);
	dense.forEach((_, vertex) => {
		if (!isMissing(vertex)) mark(words, vertex);
	});
	const set = rankBits(dense.length, words);
	return surfaceTopology(
		resolution,
		set,
		Float32Array.from(members(set), (vertex) => dense[vertex]),
	);
}

function referenceOf(resolution: number, dense: Float32Array) {
	const zeros = new Float64Array(dense.length * 6);
	return referenceFlexicubes({ resolution, sdf: dense, deform: zeros, colors: zeros, weights: new Float64Array(resolution ** 3 * 21) });
}

describe("surfaceTopology", () => {
	it.each([1, 2, 3, 7, 8])("agrees with the dense reference on noise at %i^3, with zeros and missing vertices", (resolution) => {
		for (let seed = 0; seed < 6; seed++) {
			const dense = randomValues((resolution + 1) ** 3, seed);
			dense.forEach((value, vertex) => {
				if (vertex % 11 === 3) dense[vertex] = 0; // 0 is outside, yet not positive
				if (vertex % 7 === seed) dense[vertex] = 1;
				else if (seed > 2) dense[vertex] = value + 0.5; // fewer inside: cases below 128
			});
			const topology = topologyOf(resolution, dense, (vertex) => vertex % 7 === seed);
			const expected = referenceOf(resolution, dense);
			expect([...topology.cubes]).toEqual(expected.cubes);
			expect([...topology.originalCases]).toEqual(expected.originalCases);
			expect([...topology.cases]).toEqual(expected.cases);
			expect([...topology.edges]).toEqual(expected.edges);
			expect(topology.duals.length / 2).toBe(expected.positions.length / 3);
			expect([...trianglesOfQuads(topology.quads, () => 0.5)]).toEqual(expected.faces);
		}
	});

	it("resolves ambiguous neighbours", () => {
		const expected = referenceOf(8, randomValues(9 ** 3, 1));
		expect(expected.cases.filter((cubeCase, i) => cubeCase !== expected.originalCases[i]).length).toBeGreaterThan(4);
	});

	it("names the corners of every surface cube", () => {
		const topology = topologyOf(4, randomValues(125, 9), () => false);
		topology.cubes.forEach((cube, s) => {
			const [x, y, z] = [Math.floor(cube / 16), Math.floor(cube / 4) % 4, cube % 4];
			for (let corner = 0; corner < 8; corner++) {
				const id = ((x + (corner & 1)) * 5 + y + ((corner >> 1) & 1)) * 5 + z + (corner >> 2);
				expect(topology.vertices[topology.corners[s * 8 + corner]]).toBe(id);
			}
		});
	});

	it("gives a closed surface with outward faces around a ball", () => {
		const dense = new Float32Array(9 ** 3).map(
			(_, v) => Math.hypot(Math.floor(v / 81) - 4, (Math.floor(v / 9) % 9) - 4.1, (v % 9) - 3.9) - 2.7,
		);
		const topology = topologyOf(8, dense, () => false);
		const faces = trianglesOfQuads(topology.quads, () => 0.5);
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

	it("treats NaN as outside and no surface as empty", () => {
		const topology = topologyOf(2, new Float32Array(27).fill(Number.NaN), () => false);
		expect([topology.cubes.length, topology.duals.length, topology.quads.length, topology.edges.length]).toEqual([0, 0, 0, 0]);
	});
});

describe("trianglesOfQuads", () => {
	it("splits along the diagonal with the larger product, else between the second and the fourth", () => {
		const gammas = [0.9, 0.5, 0.9, 0.5];
		expect([...trianglesOfQuads(Uint32Array.of(0, 1, 2, 3), (dual) => gammas[dual])]).toEqual([0, 1, 2, 0, 2, 3]);
		expect([...trianglesOfQuads(Uint32Array.of(1, 2, 3, 0), (dual) => gammas[dual])]).toEqual([1, 2, 0, 0, 2, 3]);
		expect([...trianglesOfQuads(Uint32Array.of(3, 2, 1, 0), () => 0.5)]).toEqual([3, 2, 0, 0, 2, 1]);
	});
});

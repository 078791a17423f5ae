import { expect, it } from "vitest";
import { connectedEdges, connectedFaces, dualGraph, edgeBetween, meshEdges } from "../../engine/mesh/meshEdges.ts";

// Two triangles with a common edge, a third on the same edge 1-2, and a lonely one.
const faces = Uint32Array.of(0, 1, 2, 2, 1, 3, 7, 8, 6, 1, 2, 4);

it("lists edges in order with the faces at each", () => {
	const { edges, faceEdges, degrees } = meshEdges(faces);
	expect([...edges]).toEqual([0, 1, 0, 2, 1, 2, 1, 3, 1, 4, 2, 3, 2, 4, 6, 7, 6, 8, 7, 8]);
	expect([...faceEdges]).toEqual([0, 2, 1, 2, 3, 5, 9, 8, 7, 2, 6, 4]);
	expect([...degrees]).toEqual([1, 1, 3, 1, 1, 1, 1, 1, 1, 1]);
});

it("finds an edge by its vertices", () => {
	const topology = meshEdges(faces);
	expect(edgeBetween(topology, 8, 7)).toBe(9);
	expect(edgeBetween(topology, 0, 3)).toBe(-1);
	expect(edgeBetween(topology, 9, 12)).toBe(-1);
});

it("joins faces over edges of any degree and numbers the pieces by their first face", () => {
	const { faceEdges, degrees } = meshEdges(faces);
	expect(connectedFaces(faceEdges, degrees.length)).toEqual({ pieceOf: Uint32Array.of(0, 0, 1, 0), pieces: 2 });
});

it("joins edges over vertices", () => {
	expect(connectedEdges(Uint32Array.of(5, 6, 1, 2, 9, 6, 2, 7)).pieceOf).toEqual(Uint32Array.of(0, 1, 0, 1));
});

it("links faces over edges with exactly two", () => {
	const { links, edgeOf } = dualGraph(meshEdges(Uint32Array.of(0, 1, 2, 2, 1, 3, 3, 1, 4)));
	expect([...links]).toEqual([0, 1, 1, 2]);
	expect([...edgeOf]).toEqual([2, 3]);
	expect(dualGraph(meshEdges(faces)).edgeOf).toHaveLength(0);
});

it("keeps vertices beyond 2^16 apart", () => {
	expect([...meshEdges(Uint32Array.of(70_000, 5, 2_000_000)).edges]).toEqual([5, 70_000, 5, 2_000_000, 70_000, 2_000_000]);
});

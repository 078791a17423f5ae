import { expect, it } from "vitest";
import { meshEdges } from "../../engine/mesh/meshEdges.ts";
import { removeHiddenFaces, sortedQuantile } from "../../engine/mesh/removeHiddenFaces.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";

const limits = { outerQuantile: 0.7, outerMinimum: 0.15, innerMaximum: 0.01, openingArea: 0.04 };
const outer = ballMesh([0, 0, 0], 0.4, 10);
const inner = ballMesh([0, 0, 0], 0.1, 6);
const both = joinMeshes(outer, inner);
const seenOuter = (mesh: { readonly faces: Uint32Array }, dark: (face: number) => number) =>
	Float32Array.from({ length: mesh.faces.length / 3 }, (_, face) => dark(face));

it("removes a ball that is never seen", () => {
	const visibility = seenOuter(both, (face) => (face < outer.faces.length / 3 ? 0.4 + (face % 7) / 100 : 0));
	const { mesh, removed } = removeHiddenFaces(both, visibility, limits);
	expect(removed).toBe(inner.faces.length / 3);
	expect(mesh.faces).toEqual(outer.faces);
	expect(mesh.positions).toEqual(outer.positions);
});

it("gives the very same mesh where nothing is hidden, and where what is hidden is too light to go", () => {
	expect(removeHiddenFaces(both, new Float32Array(both.faces.length / 3).fill(0.3), limits)).toEqual({ mesh: both, removed: 0 });
	// One hidden face in a ball of which the rest is between inside and outside: it all falls to the hidden side, with a median above the limit.
	const grey = seenOuter(outer, (face) => (face === 5 ? 0 : 0.3));
	const result = removeHiddenFaces(outer, grey, { ...limits, outerMinimum: 0.2 });
	expect(result.mesh).toBe(outer);
	expect(result.removed).toBe(0);
});

it("cuts a dark cap off a ball where the opening is small enough", () => {
	const dark = seenOuter(outer, (face) => {
		const z = outer.positions[outer.faces[face * 3] * 3 + 2];
		return z > 0.33 ? 0 : z > 0.2 ? 0.1 : 0.4 + (face % 5) / 100;
	});
	const open = removeHiddenFaces(outer, dark, { ...limits, openingArea: 1 });
	expect(open.removed).toBeGreaterThan(10);
	expect(meshEdges(open.mesh.faces).degrees.filter((degree) => degree === 1).length).toBe(20);
	expect(removeHiddenFaces(outer, dark, { ...limits, openingArea: 0.01 })).toEqual({ mesh: outer, removed: 0 });
});

it("removes a floating piece that is hardly seen and has neither inside nor outside, as igraph's cut does", () => {
	const visibility = seenOuter(both, (face) => (face < outer.faces.length / 3 ? (face === 0 ? 0.005 : 0.4 + (face % 7) / 100) : 0.1));
	expect(removeHiddenFaces(both, visibility, limits).removed).toBeGreaterThanOrEqual(inner.faces.length / 3);
});

it("interpolates quantiles as torch does", () => {
	expect(sortedQuantile(Float32Array.of(1, 2, 4, 8), 0.7)).toBeCloseTo(4.4, 6);
	expect(sortedQuantile(Float32Array.of(3), 0.7)).toBe(3);
	expect(sortedQuantile(Float32Array.of(0.1, 0.1, 0.1), 0.6)).toBe(Math.fround(0.1));
});

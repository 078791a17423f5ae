import { expect, it } from "vitest";
import { fillSmallBoundaries } from "../../engine/mesh/fillSmallBoundaries.ts";
import type { Mesh } from "../../engine/mesh/mesh.ts";
import { meshEdges } from "../../engine/mesh/meshEdges.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { withoutFaces } from "../support/brokenShell.ts";

const ball = ballMesh([0, 0, 0], 0.4, 24);
const colored: Mesh = { ...ball, colors: ball.positions.map((value) => value + 0.5) };
const broken = withoutFaces(colored, (_, [, y, z]) => z > 0.37 || y > 0.39);

it("closes holes with triangles that continue the surface", () => {
	const { mesh, closed, open } = fillSmallBoundaries(broken, 136);
	expect([closed, open]).toEqual([2, []]);
	expect(meshEdges(mesh.faces).degrees.every((degree) => degree === 2)).toBe(true);
	expect(mesh.faces.subarray(0, broken.faces.length)).toEqual(broken.faces);
	const first = broken.positions.length / 3;
	expect(mesh.positions.length / 3).toBeGreaterThan(first + 10);
	expect(mesh.colors).toHaveLength(mesh.positions.length);
	const normals = vertexNormals(mesh);
	for (let v = first; v < mesh.positions.length / 3; v++) {
		const [x, y, z] = mesh.positions.subarray(v * 3, v * 3 + 3);
		expect((normals[v * 3] * x + normals[v * 3 + 1] * y + normals[v * 3 + 2] * z) / Math.hypot(x, y, z)).toBeGreaterThan(0.9);
		for (let k = 0; k < 3; k++) expect(mesh.colors?.[v * 3 + k]).toBeCloseTo(mesh.positions[v * 3 + k] + 0.5, 5);
	}
	expect(fillSmallBoundaries(broken, 136)).toEqual({ mesh, closed, open });
});

it("leaves larger boundaries open and a closed mesh alone", () => {
	const { mesh, closed, open } = fillSmallBoundaries(broken, 20);
	expect(closed).toBe(open.length === 1 ? 1 : 0);
	expect(open.every((edges) => edges > 20)).toBe(true);
	expect(meshEdges(mesh.faces).degrees.filter((degree) => degree === 1)).toHaveLength(open.reduce((a, b) => a + b, 0));
	expect(fillSmallBoundaries(ball, 136)).toEqual({ mesh: ball, closed: 0, open: [] });
});

it("gives no edge a third face", () => {
	// Without the lid of a square tube of one quad height: both rims are loops of four, whose chords must not meet.
	const tube = {
		positions: Float32Array.from([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1]),
		faces: Uint32Array.of(0, 1, 4, 1, 2, 4, 2, 3, 4, 3, 0, 4),
	};
	const { mesh, closed } = fillSmallBoundaries(tube, 10);
	expect(closed).toBe(1);
	expect(meshEdges(mesh.faces).degrees.every((degree) => degree === 2)).toBe(true);
});

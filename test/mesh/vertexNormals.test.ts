import { expect, it } from "vitest";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { ballMesh } from "../support/ballMesh.ts";

it("points away from the centre of a ball, with unit length", () => {
	const mesh = ballMesh([0.1, -0.1, 0.05], 0.3, 40);
	const normals = vertexNormals(mesh);
	for (let i = 0; i < normals.length; i += 3) {
		expect(Math.hypot(...normals.subarray(i, i + 3))).toBeCloseTo(1, 6);
		const outward =
			(mesh.positions[i] - 0.1) * normals[i] +
			(mesh.positions[i + 1] + 0.1) * normals[i + 1] +
			(mesh.positions[i + 2] - 0.05) * normals[i + 2];
		expect(outward / 0.3).toBeGreaterThan(0.999);
	}
});

it("weights faces by area", () => {
	const positions = Float32Array.from([0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 1, 0, 0, 0, 1]);
	const normals = vertexNormals({ positions, faces: Uint32Array.of(0, 1, 2, 0, 3, 4) }); // areas 8 (up) and 0.5 (+x)
	const length = Math.hypot(16, 1);
	expect([...normals.subarray(0, 3)]).toEqual([Math.fround(1 / length), 0, Math.fround(16 / length)]);
});

it("gives vertices without area (0, 0, 1)", () => {
	const normals = vertexNormals({ positions: new Float32Array(9), faces: Uint32Array.of(0, 1, 2) });
	expect([...normals]).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1]);
});

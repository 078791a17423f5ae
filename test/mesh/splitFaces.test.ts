import { expect, it } from "vitest";
import { splitFaces } from "../../engine/mesh/splitFaces.ts";
import { ballMesh } from "../support/ballMesh.ts";

it("puts every face into one compact group", () => {
	const mesh = ballMesh([0, 0, 0], 0.4, 16);
	const groups = splitFaces(mesh, 150);
	expect(groups).toHaveLength(8);
	expect(groups.every((group) => group.length <= 150)).toBe(true);
	expect(groups.flatMap((group) => [...group]).sort((a, b) => a - b)).toEqual([...Array(mesh.faces.length / 3).keys()]);
	for (const group of groups) {
		const centre = [0, 1, 2].map(
			(axis) => group.reduce((sum, face) => sum + mesh.positions[mesh.faces[face * 3] * 3 + axis], 0) / group.length,
		);
		expect(Math.hypot(...centre)).toBeGreaterThan(0.2); // an eighth of the ball
	}
});

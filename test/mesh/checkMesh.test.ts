import { expect, it } from "vitest";
import { checkMesh } from "../../engine/mesh/checkMesh.ts";
import type { Mesh } from "../../engine/mesh/mesh.ts";
import { ballMesh } from "../support/ballMesh.ts";

const ball = ballMesh([0, 0, 0], 0.4, 4);
const broken: readonly [string, Mesh][] = [
	["step: the mesh has no faces", { ...ball, faces: new Uint32Array(0) }],
	["step: the mesh is a single triangle", { ...ball, faces: Uint32Array.of(0, 1, 2) }],
	["step: vertex 2 is not finite", { ...ball, positions: ball.positions.map((value, i) => (i === 7 ? Number.NaN : value)) }],
	["step: face 1 names vertex 999", { ...ball, faces: Uint32Array.of(0, 1, 2, 3, 999, 4) }],
	["three values a row", { ...ball, faces: Uint32Array.of(0, 1, 2, 3) }],
	["step: colors must be", { ...ball, colors: new Float32Array(3) }],
];

it("accepts a ball", () => {
	checkMesh("step", ball);
});
for (const [message, mesh] of broken) {
	it(`says "${message}"`, () => {
		expect(() => checkMesh("step", mesh)).toThrow(expect.objectContaining({ code: "input", message: expect.stringContaining(message) }));
	});
}

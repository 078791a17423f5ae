import { expect, it } from "vitest";
import { boundaryLoops } from "../../engine/mesh/boundaryLoops.ts";
import { meshEdges } from "../../engine/mesh/meshEdges.ts";
import { ballMesh } from "../support/ballMesh.ts";
import { withoutFaces } from "../support/brokenShell.ts";

const loopsOf = (faces: Uint32Array) => boundaryLoops(faces, meshEdges(faces));

it("walks a boundary in the direction of its faces", () => {
	expect(loopsOf(Uint32Array.of(0, 1, 2, 2, 1, 3))).toEqual([[0, 1, 3, 2]]);
	expect(loopsOf(ballMesh([0, 0, 0], 1, 5).faces)).toEqual([]);
});

it("keeps apart loops that touch in one vertex", () => {
	// Around vertex 0: faces on the left and on the right, nothing between them.
	const loops = loopsOf(Uint32Array.of(0, 1, 2, 0, 3, 4));
	expect(loops.map((loop) => loop.toSorted())).toEqual([
		[0, 1, 2],
		[0, 3, 4],
	]);
	const ball = ballMesh([0, 0, 0], 1, 6);
	const [first, second] = [0, 30].map((face) => withoutFaces(ball, (f) => f === face || f === face + 2));
	for (const mesh of [first, second]) for (const loop of loopsOf(mesh.faces)) expect(new Set(loop).size).toBe(loop.length);
});

it("leaves out loops that run into an edge of three faces or of two with the same direction", () => {
	expect(loopsOf(Uint32Array.of(0, 1, 2, 1, 0, 3, 0, 1, 4))).toEqual([]);
	expect(loopsOf(Uint32Array.of(0, 1, 2, 0, 1, 3))).toEqual([]);
});

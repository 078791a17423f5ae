import type { Mesh } from "../../engine/mesh/mesh.ts";
import { ballMesh, joinMeshes } from "./ballMesh.ts";

/** A mesh without some of its faces; vertices stay. */
export function withoutFaces(mesh: Mesh, isGone: (face: number, centre: readonly [number, number, number]) => boolean): Mesh {
	const faces: number[] = [];
	for (let face = 0; face < mesh.faces.length / 3; face++) {
		const corners = [...mesh.faces.subarray(face * 3, face * 3 + 3)];
		const centre = [0, 1, 2].map((axis) => corners.reduce((sum, vertex) => sum + mesh.positions[vertex * 3 + axis], 0) / 3);
		if (!isGone(face, centre as [number, number, number])) faces.push(...corners);
	}
	return { ...mesh, faces: Uint32Array.from(faces) };
}

/** A ball with a window on top and, inside, a small ball turned inside out: hidden but for what is seen through the window. */
export function shellWithHiddenBall(rings: number): Mesh {
	const shell = withoutFaces(ballMesh([0, 0, 0], 0.45, rings), (_, centre) => centre[2] > 0.43);
	const inner = ballMesh([0, 0.02, -0.05], 0.15, Math.max(4, rings >> 1));
	return joinMeshes(shell, { ...inner, faces: inner.faces.toReversed() });
}

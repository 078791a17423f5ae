import type { Mesh } from "./mesh.ts";

/** The mesh of the faces f with keep[f] != 0, in their order, with the vertices they use, in theirs. The same object where all stay. */
export function pickFaces(mesh: Mesh, keep: Uint8Array): Mesh {
	if (keep.every((value) => value !== 0)) return mesh;
	return withFaces(
		mesh,
		mesh.faces.filter((_, i) => keep[(i - (i % 3)) / 3] !== 0),
	);
}

/** These faces [f, 3] of the mesh's vertices, with only the vertices they use, in the order those have. */
export function withFaces({ positions, colors }: Mesh, faces: Uint32Array): Mesh {
	const newIndex = new Uint32Array(positions.length / 3);
	for (const vertex of faces) newIndex[vertex] = 1;
	const isUsed = (_: number, i: number) => newIndex[(i - (i % 3)) / 3] !== 0;
	const [usedPositions, usedColors] = [positions.filter(isUsed), colors?.filter(isUsed)];
	let used = 0;
	for (let vertex = 0; vertex < newIndex.length; vertex++) newIndex[vertex] = newIndex[vertex] === 0 ? 0 : used++;
	return { positions: usedPositions, faces: faces.map((vertex) => newIndex[vertex]), colors: usedColors };
}

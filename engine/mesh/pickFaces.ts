import type { Mesh } from "./mesh.ts";

/** The mesh of the faces f with keep[f] != 0, in their order, with the vertices they use, in theirs. The same object where all stay. */
export function pickFaces(mesh: Mesh, keep: Uint8Array): Mesh {
	let count = 0;
	for (let face = 0; face < keep.length; face++) if (keep[face] !== 0) count++;
	if (count === keep.length) return mesh;
	const faces = new Uint32Array(count * 3);
	for (let face = 0, to = 0; face < keep.length; face++) {
		if (keep[face] === 0) continue;
		for (let k = 0; k < 3; k++) faces[to++] = mesh.faces[face * 3 + k];
	}
	return withFaces(mesh, faces);
}

/** These faces [f, 3] of the mesh's vertices, with only the vertices they use, in the order those have. */
export function withFaces({ positions, colors }: Mesh, faces: Uint32Array): Mesh {
	const newIndex = new Uint32Array(positions.length / 3);
	for (const vertex of faces) newIndex[vertex] = 1;
	let used = 0;
	for (let vertex = 0; vertex < newIndex.length; vertex++) newIndex[vertex] = newIndex[vertex] === 0 ? unused : used++;
	const rowsOf = (values: Float32Array) => {
		const rows = new Float32Array(used * 3);
		for (let vertex = 0; vertex < newIndex.length; vertex++) {
			if (newIndex[vertex] === unused) continue;
			for (let k = 0; k < 3; k++) rows[newIndex[vertex] * 3 + k] = values[vertex * 3 + k];
		}
		return rows;
	};
	return { positions: rowsOf(positions), faces: faces.map((vertex) => newIndex[vertex]), colors: colors && rowsOf(colors) };
}

const unused = 0xffffffff;

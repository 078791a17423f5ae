import type { Mesh } from "../../engine/mesh/mesh.ts";

/** A closed ball of latitude and longitude triangles, counter-clockwise from outside; poles at z = centre +- radius. */
export function ballMesh(centre: readonly [number, number, number], radius: number, rings: number): Mesh {
	const segments = rings * 2;
	const positions = [centre[0], centre[1], centre[2] + radius];
	for (let ring = 1; ring < rings; ring++) {
		const polar = (Math.PI * ring) / rings;
		for (let s = 0; s < segments; s++) {
			const angle = (2 * Math.PI * s) / segments;
			positions.push(
				centre[0] + radius * Math.sin(polar) * Math.cos(angle),
				centre[1] + radius * Math.sin(polar) * Math.sin(angle),
				centre[2] + radius * Math.cos(polar),
			);
		}
	}
	positions.push(centre[0], centre[1], centre[2] - radius);
	const last = positions.length / 3 - 1;
	const at = (ring: number, s: number) => 1 + (ring - 1) * segments + (s % segments);
	const faces: number[] = [];
	for (let s = 0; s < segments; s++) {
		faces.push(0, at(1, s), at(1, s + 1));
		for (let ring = 1; ring < rings - 1; ring++) {
			faces.push(at(ring, s), at(ring + 1, s), at(ring + 1, s + 1), at(ring, s), at(ring + 1, s + 1), at(ring, s + 1));
		}
		faces.push(last, at(rings - 1, s + 1), at(rings - 1, s));
	}
	return { positions: Float32Array.from(positions), faces: Uint32Array.from(faces) };
}

/** Both meshes as one. */
export function joinMeshes(a: Mesh, b: Mesh): Mesh {
	return {
		positions: Float32Array.from([...a.positions, ...b.positions]),
		faces: Uint32Array.from([...a.faces, ...b.faces.map((vertex) => vertex + a.positions.length / 3)]),
	};
}

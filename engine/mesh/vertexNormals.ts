import type { Mesh } from "./mesh.ts";

/**
 * [v, 3] unit normals: the sum of the normals of a vertex' faces weighted by their areas. A vertex without area gets (0, 0, 1).
 */
export function vertexNormals({ positions, faces }: Mesh): Float32Array {
	const sums = new Float64Array(positions.length);
	for (let i = 0; i < faces.length; i += 3) {
		const [a, b, c] = [faces[i] * 3, faces[i + 1] * 3, faces[i + 2] * 3];
		const [ux, uy, uz] = [positions[b] - positions[a], positions[b + 1] - positions[a + 1], positions[b + 2] - positions[a + 2]];
		const [vx, vy, vz] = [positions[c] - positions[a], positions[c + 1] - positions[a + 1], positions[c + 2] - positions[a + 2]];
		const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]; // its length is twice the area
		for (const vertex of [a, b, c]) {
			sums[vertex] += nx;
			sums[vertex + 1] += ny;
			sums[vertex + 2] += nz;
		}
	}
	const normals = new Float32Array(positions.length);
	for (let i = 0; i < positions.length; i += 3) {
		const length = Math.sqrt(sums[i] ** 2 + sums[i + 1] ** 2 + sums[i + 2] ** 2);
		for (let k = 0; k < 3; k++) normals[i + k] = length > 0 ? sums[i + k] / length : k === 2 ? 1 : 0;
	}
	return normals;
}

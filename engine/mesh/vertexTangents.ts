import type { Mesh } from "./mesh.ts";

/**
 * [v, 4] unit tangents along growing u, at right angles to `normals` [v, 3], and the sign w with which w (normal x tangent) runs along growing v
 * (v up), as glTF wants them. The mean of a vertex' faces weighted by their areas; where u does not change, any tangent.
 */
export function vertexTangents({ positions, faces }: Mesh, uvs: Float32Array, normals: Float32Array): Float32Array {
	const count = positions.length / 3;
	const alongU = new Float64Array(count * 3);
	const alongV = new Float64Array(count * 3);
	for (let i = 0; i < faces.length; i += 3) {
		const [a, b, c] = [faces[i], faces[i + 1], faces[i + 2]];
		const [u1, v1] = [uvs[b * 2] - uvs[a * 2], uvs[b * 2 + 1] - uvs[a * 2 + 1]];
		const [u2, v2] = [uvs[c * 2] - uvs[a * 2], uvs[c * 2 + 1] - uvs[a * 2 + 1]];
		const area = u1 * v2 - u2 * v1;
		if (area === 0) continue;
		const edges = [0, 1, 2].map((k) => [positions[b * 3 + k] - positions[a * 3 + k], positions[c * 3 + k] - positions[a * 3 + k]]);
		const s = edges.map(([first, second]) => (first * v2 - second * v1) / area);
		const t = edges.map(([first, second]) => (second * u1 - first * u2) / area);
		const weight = worldArea(edges);
		const lengths = [Math.hypot(...s), Math.hypot(...t)];
		if (lengths[0] === 0 || lengths[1] === 0) continue;
		for (const vertex of [a, b, c]) {
			for (let k = 0; k < 3; k++) {
				alongU[vertex * 3 + k] += (weight * s[k]) / lengths[0];
				alongV[vertex * 3 + k] += (weight * t[k]) / lengths[1];
			}
		}
	}
	const tangents = new Float32Array(count * 4);
	for (let vertex = 0; vertex < count; vertex++) {
		const normal = [normals[vertex * 3], normals[vertex * 3 + 1], normals[vertex * 3 + 2]];
		const u = [alongU[vertex * 3], alongU[vertex * 3 + 1], alongU[vertex * 3 + 2]];
		const tangent = orthogonal(u, normal) ?? orthogonal([1, 0, 0], normal) ?? orthogonal([0, 1, 0], normal) ?? [1, 0, 0];
		const across = [0, 1, 2].map((k) => normal[(k + 1) % 3] * tangent[(k + 2) % 3] - normal[(k + 2) % 3] * tangent[(k + 1) % 3]);
		const sign = across.reduce((sum, value, k) => sum + value * alongV[vertex * 3 + k], 0);
		tangents.set([...tangent, sign < 0 ? -1 : 1], vertex * 4);
	}
	return tangents;
}

function worldArea(edges: readonly (readonly number[])[]): number {
	const [a, b] = [0, 1].map((column) => edges.map((edge) => edge[column]));
	return Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
}

/** The unit vector along the part of `vector` at right angles to `normal`; undefined where there is none. */
function orthogonal(vector: readonly number[], normal: readonly number[]): number[] | undefined {
	const along = vector[0] * normal[0] + vector[1] * normal[1] + vector[2] * normal[2];
	const rest = vector.map((value, k) => value - along * normal[k]);
	const length = Math.hypot(...rest);
	return length > 1e-6 * Math.hypot(...vector) && length > 0 ? rest.map((value) => value / length) : undefined;
}

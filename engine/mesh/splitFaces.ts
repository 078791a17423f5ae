import type { Mesh } from "./mesh.ts";

/**
 * The faces of a mesh in compact groups of at most `most`: halved at the median along the longest side of their centres' box, again and
 * again. Each group ascending; together every face once.
 */
export function splitFaces({ positions, faces }: Mesh, most: number): Uint32Array[] {
	const count = faces.length / 3;
	const centres = [0, 1, 2].map((axis) =>
		Float64Array.from({ length: count }, (_, f) => [0, 1, 2].reduce((sum, k) => sum + positions[faces[f * 3 + k] * 3 + axis], 0)),
	);
	const groups: Uint32Array[] = [];
	const split = (group: Uint32Array) => {
		if (group.length <= most) {
			groups.push(group.sort());
			return;
		}
		const extents = centres.map((along) => {
			let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
			for (const face of group) {
				low = Math.min(low, along[face]);
				high = Math.max(high, along[face]);
			}
			return high - low;
		});
		const along = centres[extents.indexOf(Math.max(...extents))];
		const sorted = group.sort((a, b) => along[a] - along[b] || a - b);
		split(sorted.slice(0, sorted.length >> 1));
		split(sorted.slice(sorted.length >> 1));
	};
	split(Uint32Array.from({ length: count }, (_, face) => face));
	return groups;
}

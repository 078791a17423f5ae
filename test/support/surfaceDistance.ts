import type { Mesh } from "../../engine/mesh/mesh.ts";

/** Distance of a point to the nearest triangle of a mesh, found through a grid of cells; infinite beyond two cells. */
export function surfaceDistance({ positions, faces }: Mesh, cell: number): (x: number, y: number, z: number) => number {
	const cells = new Map<string, number[]>();
	const index = (value: number) => Math.floor(value / cell);
	for (let face = 0; face < faces.length; face += 3) {
		const corners = [0, 1, 2].map((k) => positions.subarray(faces[face + k] * 3, faces[face + k] * 3 + 3));
		const [low, high] = [Math.min, Math.max].map((pick) => [0, 1, 2].map((axis) => index(pick(...corners.map((corner) => corner[axis])))));
		for (let i = low[0]; i <= high[0]; i++)
			for (let j = low[1]; j <= high[1]; j++)
				for (let k = low[2]; k <= high[2]; k++) {
					const key = `${i} ${j} ${k}`;
					const list = cells.get(key);
					if (list === undefined) cells.set(key, [face]);
					else list.push(face);
				}
	}
	return (x, y, z) => {
		let nearest = Number.POSITIVE_INFINITY;
		for (let i = -2; i <= 2; i++)
			for (let j = -2; j <= 2; j++)
				for (let k = -2; k <= 2; k++) {
					for (const face of cells.get(`${index(x) + i} ${index(y) + j} ${index(z) + k}`) ?? []) {
						const [a, b, c] = [0, 1, 2].map((corner) => positions.subarray(faces[face + corner] * 3, faces[face + corner] * 3 + 3));
						nearest = Math.min(nearest, triangleDistance([x, y, z], a, b, c));
					}
				}
		return nearest;
	};
}

type Vector = ArrayLike<number>;
const minus = (a: Vector, b: Vector) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Inside the triangle's prism the distance to its plane, else the least distance to its edges. */
function triangleDistance(p: Vector, a: Vector, b: Vector, c: Vector): number {
	const [ab, ac, ap] = [minus(b, a), minus(c, a), minus(p, a)];
	const [d00, d01, d11, d20, d21] = [dot(ab, ab), dot(ab, ac), dot(ac, ac), dot(ap, ab), dot(ap, ac)];
	const square = d00 * d11 - d01 * d01;
	if (square > 0) {
		const [v, w] = [(d11 * d20 - d01 * d21) / square, (d00 * d21 - d01 * d20) / square];
		if (v >= 0 && w >= 0 && v + w <= 1) return Math.hypot(...[0, 1, 2].map((k) => ap[k] - v * ab[k] - w * ac[k]));
	}
	return Math.min(
		...[
			[a, b],
			[b, c],
			[c, a],
		].map(([from, to]) => {
			const [edge, own] = [minus(to, from), minus(p, from)];
			const t = Math.min(Math.max(dot(own, edge) / Math.max(dot(edge, edge), 1e-30), 0), 1);
			return Math.hypot(...[0, 1, 2].map((k) => own[k] - t * edge[k]));
		}),
	);
}

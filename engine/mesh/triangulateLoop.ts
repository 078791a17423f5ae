/**
 * Triangles [m - 2, 3] that close a loop of m points in space, as positions in the loop and in its direction: of all triangulations that
 * with the least area, among nearly equal ones (a flat loop) that with the shortest edges. `isAllowed(i, j)` says whether a chord may be
 * used. Undefined where no triangulation is allowed. O(m^3) time. Gill Barequet and Micha Sharir, "Filling gaps in the boundary of a
 * polyhedron", CAGD 1995.
 */
export function triangulateLoop(points: ArrayLike<number>, isAllowed: (i: number, j: number) => boolean): Uint32Array | undefined {
	const m = points.length / 3;
	const cost = new Float64Array(m * m).fill(Number.POSITIVE_INFINITY);
	const apex = new Int32Array(m * m).fill(-1);
	for (let i = 0; i + 1 < m; i++) cost[i * m + i + 1] = 0;
	for (let span = 2; span < m; span++) {
		for (let i = 0; i + span < m; i++) {
			const k = i + span;
			if (span < m - 1 && !isAllowed(i, k)) continue;
			for (let j = i + 1; j < k; j++) {
				const parts = cost[i * m + j] + cost[j * m + k];
				if (!(parts < cost[i * m + k])) continue;
				const total = parts + triangleCost(points, i * 3, j * 3, k * 3);
				if (total < cost[i * m + k]) {
					cost[i * m + k] = total;
					apex[i * m + k] = j;
				}
			}
		}
	}
	if (apex[m - 1] < 0) return undefined;
	const triangles: number[] = [];
	const open: [number, number][] = [[0, m - 1]];
	for (let part = open.pop(); part !== undefined; part = open.pop()) {
		const [i, k] = part;
		const j = apex[i * m + k];
		triangles.push(i, j, k);
		if (k - j > 1) open.push([j, k]);
		if (j - i > 1) open.push([i, j]);
	}
	return Uint32Array.from(triangles);
}

const lengthWeight = 0.02;

function triangleCost(points: ArrayLike<number>, a: number, b: number, c: number): number {
	const [ux, uy, uz] = [points[b] - points[a], points[b + 1] - points[a + 1], points[b + 2] - points[a + 2]];
	const [vx, vy, vz] = [points[c] - points[a], points[c + 1] - points[a + 1], points[c + 2] - points[a + 2]];
	const [wx, wy, wz] = [vx - ux, vy - uy, vz - uz];
	const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
	const squares = ux * ux + uy * uy + uz * uz + vx * vx + vy * vy + vz * vz + wx * wx + wy * wy + wz * wz;
	return Math.sqrt(nx * nx + ny * ny + nz * nz) / 2 + lengthWeight * squares;
}

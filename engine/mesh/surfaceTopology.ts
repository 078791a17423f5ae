import { absent, type BitRank, emptyBits, isMarked, mark, members, rankBits, rankOf } from "./bitRank.ts";
import { cubeCorners, cubeEdges, flexicubesTables } from "./flexicubesTables.ts";
import { cornerVertex, gridCoordinates } from "./sparseGrid.ts";

/** Everything discrete about the surface: it follows from the signs of the SDF alone. Rows are in the official order. */
export interface SurfaceTopology {
	/** [s] linear ids of the cubes with corners on both sides, ascending. */
	readonly cubes: Uint32Array;
	/** [s] case of each surface cube: sum of 2^corner over inside corners. */
	readonly originalCases: Uint8Array;
	/** [s] case after ambiguous neighbours were resolved. */
	readonly cases: Uint8Array;
	/** [u] linear ids of the vertices of surface cubes, ascending. */
	readonly vertices: Uint32Array;
	/** [s, 8] corners of the surface cubes as positions in `vertices`. */
	readonly corners: Uint32Array;
	/** [d, 2] for each dual vertex (vertex of the mesh) its surface cube and the mask of its loop's edges. */
	readonly duals: Uint32Array;
	/** [e, 2] sign-changing grid edges as vertex ids, first and second endpoint, lexicographic. */
	readonly edges: Uint32Array;
	/** [q, 4] dual vertices around the edges that have four cubes; those whose first endpoint is positive come first. */
	readonly quads: Uint32Array;
}

/** Per axis: the cube edge that starts at each corner in the axis' positive direction, 255 where there is none. */
const edgeAlong: readonly Uint8Array[] = [0, 1, 2].map((axis) => {
	const found = new Uint8Array(8).fill(255);
	cubeEdges.forEach(([a, b], edge) => {
		if (cubeCorners[a][axis] !== cubeCorners[b][axis]) found[Math.min(a, b)] = edge;
	});
	return found;
});

/**
 * Finds the surface of an SDF on a resolution^3 grid. `sdf` [vertexSet.count] belongs to the members of `vertexSet`; every other vertex
 * is +1, so cubes outside the active set are surface cubes too where they touch a negative vertex. Inside means sdf < 0 (0 and NaN
 * are outside). Rules 5, 6, 8 and 9 of reference/stage2/ARCHITECTURE.md section 8.
 */
export function surfaceTopology(resolution: number, vertexSet: BitRank, sdf: Float32Array): SurfaceTopology {
	const inside = insideBits(vertexSet, sdf);
	const { cubeSet, originalCases } = surfaceCubes(resolution, inside);
	const cubes = members(cubeSet);
	const cases = resolveAmbiguity(resolution, cubeSet, cubes, originalCases);
	const { duals, firstDual } = dualVertices(cases);
	const { vertices, corners } = surfaceVertices(resolution, cubes);
	const edges = crossedEdges(resolution, inside, vertices);
	const isPositive = (vertex: number) => {
		const rank = rankOf(vertexSet, vertex);
		return rank === absent || sdf[rank] > 0;
	};
	const quads = quadsAroundEdges({ resolution, edges, cubeSet, cases, firstDual, isPositive });
	return { cubes, originalCases, cases, vertices, corners, duals, edges, quads };
}

/** [f, 3] two triangles a quad, split along the diagonal with the larger product of the duals' gammas (f32, as upstream compares). */
export function trianglesOfQuads(quads: Uint32Array, gamma: (dual: number) => number): Uint32Array {
	const faces = new Uint32Array((quads.length / 4) * 6);
	for (let i = 0; i < quads.length / 4; i++) {
		const [a, b, c, d] = quads.subarray(i * 4, i * 4 + 4);
		const alongAC = Math.fround(gamma(a) * gamma(c)) > Math.fround(gamma(b) * gamma(d));
		faces.set(alongAC ? [a, b, c, a, c, d] : [a, b, d, d, b, c], i * 6);
	}
	return faces;
}

function insideBits(vertexSet: BitRank, sdf: Float32Array): Uint32Array {
	const inside = emptyBits(vertexSet.size);
	let rank = 0;
	for (let i = 0; i < vertexSet.words.length; i++) {
		for (let word = vertexSet.words[i]; word !== 0; word &= word - 1) {
			if (sdf[rank++] < 0) inside[i] |= word & -word;
		}
	}
	return inside;
}

function surfaceCubes(resolution: number, inside: Uint32Array): { cubeSet: BitRank; originalCases: Uint8Array } {
	const side = resolution + 1;
	const touched = emptyBits(resolution ** 3);
	for (let i = 0; i < inside.length; i++) {
		for (let word = inside[i]; word !== 0; word &= word - 1) {
			const [x, y, z] = gridCoordinates(i * 32 + 31 - Math.clz32(word & -word), side);
			for (let cx = Math.max(0, x - 1); cx <= Math.min(x, resolution - 1); cx++) {
				for (let cy = Math.max(0, y - 1); cy <= Math.min(y, resolution - 1); cy++) {
					for (let cz = Math.max(0, z - 1); cz <= Math.min(z, resolution - 1); cz++)
						mark(touched, (cx * resolution + cy) * resolution + cz);
				}
			}
		}
	}
	const found: number[] = [];
	for (let i = 0; i < touched.length; i++) {
		for (let word = touched[i]; word !== 0; word &= word - 1) {
			const bit = word & -word;
			const [x, y, z] = gridCoordinates(i * 32 + 31 - Math.clz32(bit), resolution);
			let cubeCase = 0;
			for (let corner = 0; corner < 8; corner++) if (isMarked(inside, cornerVertex(x, y, z, corner, side))) cubeCase |= 1 << corner;
			if (cubeCase === 255) touched[i] ^= bit;
			else found.push(cubeCase);
		}
	}
	return { cubeSet: rankBits(resolution ** 3, touched), originalCases: Uint8Array.from(found) };
}

/** A flagged case whose neighbour across the ambiguous face is flagged too becomes its complement; both are looked up as they were. */
function resolveAmbiguity(resolution: number, cubeSet: BitRank, cubes: Uint32Array, originalCases: Uint8Array): Uint8Array {
	const { ambiguousFace } = flexicubesTables;
	const cases = originalCases.slice();
	for (let s = 0; s < cubes.length; s++) {
		const face = ambiguousFace[originalCases[s]];
		if (face === 255) continue;
		const neighbour = gridCoordinates(cubes[s], resolution);
		const axis = face >> 1;
		neighbour[axis] += (face & 1) * 2 - 1;
		if (neighbour[axis] < 0 || neighbour[axis] >= resolution) continue;
		const row = rankOf(cubeSet, (neighbour[0] * resolution + neighbour[1]) * resolution + neighbour[2]);
		if (row !== absent && ambiguousFace[originalCases[row]] !== 255) cases[s] = 255 - originalCases[s];
	}
	return cases;
}

/** Dual vertices, grouped by the number of loops of their cube, then by cube, then by loop. */
function dualVertices(cases: Uint8Array): { duals: Uint32Array; firstDual: Uint32Array } {
	const { loopCount, loopEdges } = flexicubesTables;
	const nextOfGroup = new Uint32Array(6);
	for (const cubeCase of cases) nextOfGroup[loopCount[cubeCase] + 1] += loopCount[cubeCase];
	for (let group = 1; group < 6; group++) nextOfGroup[group] += nextOfGroup[group - 1];
	const duals = new Uint32Array(nextOfGroup[5] * 2);
	const firstDual = new Uint32Array(cases.length);
	cases.forEach((cubeCase, s) => {
		const loops = loopCount[cubeCase];
		firstDual[s] = nextOfGroup[loops];
		for (let loop = 0; loop < loops; loop++) duals.set([s, loopEdges[cubeCase * 4 + loop]], (firstDual[s] + loop) * 2);
		nextOfGroup[loops] += loops;
	});
	return { duals, firstDual };
}

function surfaceVertices(resolution: number, cubes: Uint32Array): { vertices: Uint32Array; corners: Uint32Array } {
	const side = resolution + 1;
	const corners = new Uint32Array(cubes.length * 8);
	const bits = emptyBits(side ** 3);
	for (let s = 0; s < cubes.length; s++) {
		const [x, y, z] = gridCoordinates(cubes[s], resolution);
		for (let corner = 0; corner < 8; corner++) {
			const vertex = cornerVertex(x, y, z, corner, side);
			corners[s * 8 + corner] = vertex;
			mark(bits, vertex);
		}
	}
	const set = rankBits(side ** 3, bits);
	for (let i = 0; i < corners.length; i++) corners[i] = rankOf(set, corners[i]);
	return { vertices: members(set), corners };
}

/**
 * The sign-changing grid edges [e, 2] in the order of their endpoints. The first endpoint is that of the edge table: x and z edges point
 * up, y edges down, so that from one vertex the edges -y, +z, +x ascend.
 */
function crossedEdges(resolution: number, inside: Uint32Array, vertices: Uint32Array): Uint32Array {
	const side = resolution + 1;
	let edges = new Uint32Array(vertices.length * 4 + 6);
	let end = 0;
	for (const vertex of vertices) {
		if (end + 6 > edges.length) {
			const larger = new Uint32Array(edges.length * 2);
			larger.set(edges);
			edges = larger;
		}
		const z = vertex % side;
		const y = ((vertex - z) / side) % side;
		const isInside = isMarked(inside, vertex);
		const add = (other: number) => {
			if (isMarked(inside, other) === isInside) return;
			edges[end++] = vertex;
			edges[end++] = other;
		};
		if (y > 0) add(vertex - side);
		if (z < resolution) add(vertex + 1);
		if (vertex + side * side < side ** 3) add(vertex + side * side);
	}
	return edges.slice(0, end);
}

interface FoundSurface {
	readonly resolution: number;
	readonly edges: Uint32Array;
	readonly cubeSet: BitRank;
	readonly cases: Uint8Array;
	readonly firstDual: Uint32Array;
	readonly isPositive: (vertex: number) => boolean;
}

/** A quad around every crossed edge that is not on the grid's border, so that it has four cubes; all four are surface cubes. */
function quadsAroundEdges({ resolution, edges, cubeSet, cases, firstDual, isPositive }: FoundSurface): Uint32Array {
	const side = resolution + 1;
	const quads = new Uint32Array(edges.length * 2);
	const negative: number[] = [];
	const around = [0, 0, 0, 0];
	let end = 0;
	for (let i = 0; i < edges.length; i += 2) {
		const lower = Math.min(edges[i], edges[i + 1]);
		const step = Math.max(edges[i], edges[i + 1]) - lower;
		const axis = step === 1 ? 2 : step === side ? 1 : 0;
		const u = axis === 0 ? 1 : 0; // the other two axes, in the order of the cubes' linear ids
		const v = axis === 2 ? 1 : 2;
		const [x, y, z] = gridCoordinates(lower, side);
		const at = [x, y, z];
		if (at[u] === 0 || at[v] === 0 || at[u] === resolution || at[v] === resolution) continue;
		for (let k = 0; k < 4; k++) {
			const corner = ((k & 2) === 0 ? 1 << u : 0) | ((k & 1) === 0 ? 1 << v : 0); // of the edge's lower end in cube k
			const cube = ((x - (corner & 1)) * resolution + y - ((corner >> 1) & 1)) * resolution + z - (corner >> 2);
			const s = rankOf(cubeSet, cube);
			around[k] = firstDual[s] + flexicubesTables.loopOfEdge[cases[s] * 12 + edgeAlong[axis][corner]];
		}
		const [a, b, c, d] = around;
		if (isPositive(edges[i])) {
			quads.set([a, b, d, c], end);
			end += 4;
		} else negative.push(c, d, b, a);
	}
	quads.set(negative, end);
	return quads.slice(0, end + negative.length);
}

import { boundaryLoops } from "./boundaryLoops.ts";
import type { Mesh } from "./mesh.ts";
import { edgeBetween, type MeshEdges, meshEdges } from "./meshEdges.ts";
import { refinePatch } from "./refinePatch.ts";
import { triangulateLoop } from "./triangulateLoop.ts";

/** What `fillSmallBoundaries` gives. */
export interface FilledBoundaries {
	/** The faces as they were, then those of the patches; the very same mesh where nothing was closed. */
	readonly mesh: Mesh;
	/** Number of loops closed. */
	readonly closed: number;
	/** Edges of each loop that stays open. */
	readonly open: readonly number[];
}

/**
 * Closes every boundary loop of at most `maximumEdges` edges with triangles as dense as the surface around it. No edge gets a third face.
 * Colours of new vertices are means. Upstream: MeshFix fill_small_boundaries(nbe, refine = True); written from Liepa's paper.
 */
export function fillSmallBoundaries(mesh: Mesh, maximumEdges: number): FilledBoundaries {
	const topology = meshEdges(mesh.faces);
	if (!topology.degrees.includes(1)) return { mesh, closed: 0, open: [] };
	const loops = boundaryLoops(mesh.faces, topology);
	const small = loops.filter((loop) => loop.length <= maximumEdges);
	const open = loops.filter((loop) => loop.length > maximumEdges).map((loop) => loop.length);
	const lengths = small.length === 0 ? new Float64Array(0) : meanEdgeLengths(mesh, topology);
	const positions: number[] = [];
	const colors: number[] = [];
	const faces: number[] = [];
	const chords = new Set<string>();
	const firstNew = mesh.positions.length / 3;
	let closed = 0;
	for (const boundary of small) {
		const loop = boundary.toReversed(); // the patch' faces run against those outside
		const points = loop.flatMap((vertex) => [...mesh.positions.subarray(vertex * 3, vertex * 3 + 3)]);
		const isTaken = (i: number, j: number) => edgeBetween(topology, loop[i], loop[j]) >= 0 || chords.has(pairKey(loop[i], loop[j]));
		const coarse = triangulateLoop(points, (i, j) => !isTaken(i, j));
		if (coarse === undefined) {
			open.push(loop.length);
			continue;
		}
		const patch = refinePatch({ points, edgeLengths: loop.map((vertex) => lengths[vertex]), triangles: coarse, isTaken });
		const first = firstNew + positions.length / 3 - loop.length;
		const vertexOf = (point: number) => (point < loop.length ? loop[point] : first + point);
		const addMeans = (source: Float32Array, added: number[]) => {
			const value = (vertex: number, axis: number) =>
				vertex < firstNew ? source[vertex * 3 + axis] : added[(vertex - firstNew) * 3 + axis];
			for (let n = 0; n < patch.parents.length; n += 3) {
				const corners = patch.parents.slice(n, n + 3).map(vertexOf);
				added.push(...[0, 1, 2].map((axis) => corners.reduce((sum, vertex) => sum + value(vertex, axis), 0) / 3));
			}
		};
		const mapped = patch.triangles.map(vertexOf);
		addMeans(mesh.positions, positions);
		if (mesh.colors !== undefined) addMeans(mesh.colors, colors);
		for (let i = 0; i < mapped.length; i++) chords.add(pairKey(mapped[i], mapped[i % 3 === 2 ? i - 2 : i + 1]));
		for (const vertex of mapped) faces.push(vertex);
		closed++;
	}
	if (closed === 0) return { mesh, closed, open };
	const joined = { positions: join(mesh.positions, positions), faces: Uint32Array.from([...mesh.faces, ...faces]) };
	return { mesh: { ...joined, colors: mesh.colors && join(mesh.colors, colors) }, closed, open };
}

function join(values: Float32Array, added: readonly number[]): Float32Array {
	const joined = new Float32Array(values.length + added.length);
	joined.set(values);
	joined.set(added, values.length);
	return joined;
}

function pairKey(a: number, b: number): string {
	return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/** [v] mean length of the edges at each vertex. */
function meanEdgeLengths({ positions }: Mesh, { edges }: MeshEdges): Float64Array {
	const sums = new Float64Array(positions.length / 3);
	const counts = new Uint32Array(positions.length / 3);
	for (let e = 0; e < edges.length; e += 2) {
		const [a, b] = [edges[e] * 3, edges[e + 1] * 3];
		const length = Math.hypot(positions[a] - positions[b], positions[a + 1] - positions[b + 1], positions[a + 2] - positions[b + 2]);
		for (const vertex of [edges[e], edges[e + 1]]) {
			sums[vertex] += length;
			counts[vertex]++;
		}
	}
	return sums.map((sum, vertex) => sum / Math.max(1, counts[vertex]));
}

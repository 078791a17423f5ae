import type { MeshEdges } from "./meshEdges.ts";

/**
 * The closed boundaries of a mesh: per loop its vertices, each boundary edge in the direction of its face. A loop turns around each of
 * its vertices through the faces there; one that meets a vertex twice is cut into simple ones. Loops that end at an edge of three faces
 * or of two faces with the same direction are left out. In the order of the faces.
 */
export function boundaryLoops(faces: Uint32Array, { faceEdges, degrees }: MeshEdges): number[][] {
	const halfEdges = new Int32Array(degrees.length * 2).fill(-1); // two of each edge
	faceEdges.forEach((edge, i) => {
		halfEdges[edge * 2 + (halfEdges[edge * 2] < 0 ? 0 : 1)] = i;
	});
	const used = new Uint8Array(faceEdges.length);
	const loops: number[][] = [];
	for (let start = 0; start < faceEdges.length; start++) {
		if (degrees[faceEdges[start]] !== 1 || used[start] === 1) continue;
		const loop: number[] = [];
		let half = start;
		while (half >= 0 && used[half] === 0) {
			used[half] = 1;
			loop.push(faces[half]);
			half = nextBoundary(half);
		}
		if (half === start) loops.push(...simpleLoops(loop));
	}
	return loops;

	/** The boundary half-edge that leaves the vertex where this one ends, found by turning through the faces; -1 where that fails. */
	function nextBoundary(half: number): number {
		let next = after(half);
		for (let turns = 0; degrees[faceEdges[next]] === 2 && turns < faceEdges.length; turns++) {
			const edge = faceEdges[next];
			const twin = halfEdges[edge * 2] === next ? halfEdges[edge * 2 + 1] : halfEdges[edge * 2];
			if (faces[twin] === faces[next]) return -1;
			next = after(twin);
		}
		return degrees[faceEdges[next]] === 1 ? next : -1;
	}
}

/** The next half-edge (corner) of the same face. */
function after(half: number): number {
	return half % 3 === 2 ? half - 2 : half + 1;
}

/** Cuts a loop wherever it comes back to a vertex. */
function simpleLoops(loop: readonly number[]): number[][] {
	const simple: number[][] = [];
	const path: number[] = [];
	const placeOf = new Map<number, number>();
	for (const vertex of loop) {
		const place = placeOf.get(vertex);
		if (place !== undefined) {
			const closed = path.splice(place);
			for (const member of closed) placeOf.delete(member);
			simple.push(closed);
		}
		placeOf.set(vertex, path.length);
		path.push(vertex);
	}
	simple.push(path);
	return simple.filter((one) => one.length >= 3);
}

/** A patch of triangles over a closed loop. Points 0 .. m - 1 are those of the loop, in its order. */
export interface Patch {
	/** [m, 3] points of the loop, x, y, z. */
	readonly points: readonly number[];
	/** [m] the length that edges should have at each of them. */
	readonly edgeLengths: readonly number[];
	/** [t, 3] triangles in the direction of the loop. */
	readonly triangles: Uint32Array;
	/** Whether two points of the loop are joined by an edge outside the patch. */
	readonly isTaken: (i: number, j: number) => boolean;
}

/** What `refinePatch` gives. */
export interface RefinedPatch {
	/** [t', 3] triangles; points from m on are new. */
	readonly triangles: number[];
	/** [n, 3] per new point the three points, all before it, whose mean it is. */
	readonly parents: number[];
}

const mostNewPoints = 8192;
const pointKeys = 2 ** 20;

/**
 * Makes a patch as dense as the surface around it: a triangle whose centre is far from its corners compared with the edge lengths there
 * is split at its centre, and edges are flipped towards Delaunay, until nothing changes. Peter Liepa, "Filling Holes in Meshes", SGP
 * 2003, section 4 (after Pfeifle and Seidel), with density control sqrt(2). The same result every time.
 */
export function refinePatch(patch: Patch): RefinedPatch {
	const points = patch.points.slice();
	const lengths = patch.edgeLengths.slice();
	const loopPoints = lengths.length;
	const triangles = Array.from(patch.triangles);
	const parents: number[] = [];
	/** The triangle on the left of each directed edge. */
	const leftOf = new Map<number, number>();
	const register = (t: number) => {
		const [a, b, c] = triangles.slice(t * 3, t * 3 + 3);
		leftOf
			.set(a * pointKeys + b, t)
			.set(b * pointKeys + c, t)
			.set(c * pointKeys + a, t);
	};
	const setTriangle = (t: number, a: number, b: number, c: number) => {
		triangles[t * 3] = a;
		triangles[t * 3 + 1] = b;
		triangles[t * 3 + 2] = c;
		register(t);
	};
	for (let t = 0; t * 3 < triangles.length; t++) register(t);
	relax(Array.from(leftOf.keys()));
	for (let changed = true; changed && parents.length < mostNewPoints * 3; ) {
		changed = false;
		for (let t = 0, count = triangles.length / 3; t < count; t++) changed = split(t) || changed;
		if (changed) relax(Array.from(leftOf.keys()));
	}
	return { triangles, parents };

	function split(t: number): boolean {
		const corners = triangles.slice(t * 3, t * 3 + 3);
		const centre = [0, 1, 2].map((axis) => corners.reduce((sum, corner) => sum + points[corner * 3 + axis], 0) / 3);
		const length = corners.reduce((sum, corner) => sum + lengths[corner], 0) / 3;
		const isFar = corners.every((corner) => {
			const away = Math.SQRT2 * Math.hypot(...centre.map((value, axis) => value - points[corner * 3 + axis]));
			return away > length && away > lengths[corner];
		});
		if (!isFar) return false;
		const added = lengths.length;
		points.push(...centre);
		lengths.push(length);
		parents.push(...corners);
		const [a, b, c] = corners;
		const next = triangles.length / 3;
		setTriangle(t, a, b, added);
		setTriangle(next, b, c, added);
		setTriangle(next + 1, c, a, added);
		relax([a * pointKeys + b, b * pointKeys + c, c * pointKeys + a]);
		return true;
	}

	/** Flips edges until those reached from `edges` fulfil the criterion, or a bound is met (in space flipping may not end). */
	function relax(edges: number[]): void {
		let flipsLeft = 4 * triangles.length;
		for (let edge = edges.pop(); edge !== undefined && flipsLeft > 0; edge = edges.pop()) {
			const [a, b] = [Math.floor(edge / pointKeys), edge % pointKeys];
			const flipped = flip(a, b);
			if (flipped === undefined) continue;
			flipsLeft--;
			const [c, d] = flipped;
			edges.push(a * pointKeys + d, d * pointKeys + b, b * pointKeys + c, c * pointKeys + a);
		}
	}

	/** Puts the other diagonal into the two triangles at an edge where that is better; gives its ends. */
	function flip(a: number, b: number): [number, number] | undefined {
		const [left, right] = [leftOf.get(a * pointKeys + b), leftOf.get(b * pointKeys + a)];
		if (left === undefined || right === undefined) return undefined;
		const [c, d] = [apexOf(left, a, b), apexOf(right, a, b)];
		if (leftOf.has(c * pointKeys + d) || leftOf.has(d * pointKeys + c)) return undefined;
		if (c < loopPoints && d < loopPoints && patch.isTaken(c, d)) return undefined;
		if (cotangent(c, a, b) + cotangent(d, a, b) >= -1e-9) return undefined;
		if (dot(normal(a, d, c), normal(d, b, c)) <= 0) return undefined;
		leftOf.delete(a * pointKeys + b);
		leftOf.delete(b * pointKeys + a);
		setTriangle(left, a, d, c);
		setTriangle(right, d, b, c);
		return [c, d];
	}

	function apexOf(t: number, a: number, b: number): number {
		return triangles[t * 3] + triangles[t * 3 + 1] + triangles[t * 3 + 2] - a - b;
	}

	function between(from: number, to: number): [number, number, number] {
		return [points[to * 3] - points[from * 3], points[to * 3 + 1] - points[from * 3 + 1], points[to * 3 + 2] - points[from * 3 + 2]];
	}

	function normal(a: number, b: number, c: number): [number, number, number] {
		return cross(between(a, b), between(a, c));
	}

	/** Cotangent of the angle at `apex` in the triangle with a and b. */
	function cotangent(apex: number, a: number, b: number): number {
		const [u, v] = [between(apex, a), between(apex, b)];
		return dot(u, v) / Math.max(Math.hypot(...cross(u, v)), 1e-30);
	}
}

type Vector = readonly [number, number, number];

function dot(u: Vector, v: Vector): number {
	return u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
}

function cross(u: Vector, v: Vector): [number, number, number] {
	return [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
}

/** The edges of a triangle mesh, without direction. */
export interface MeshEdges {
	/** [e] one number for each edge, ascending. */
	readonly keys: Float64Array;
	/** [e, 2] smaller and larger vertex, rows ascending. */
	readonly edges: Uint32Array;
	/** [f, 3] edges of each face: from corner 0 to 1, 1 to 2, 2 to 0. */
	readonly faceEdges: Uint32Array;
	/** [e] number of faces at each edge: 1 on a boundary. */
	readonly degrees: Uint32Array;
}

/** Vertices are numbered below this, so that two fit a float64. */
const vertexLimit = 2 ** 26;

/** Edges between faces [f, 3]. Upstream: utils3d.torch.compute_edges, rows in the same order. */
export function meshEdges(faces: Uint32Array): MeshEdges {
	const other = (i: number) => faces[i % 3 === 2 ? i - 2 : i + 1];
	let vertices = 0;
	for (let i = 0; i < faces.length; i++) vertices = Math.max(vertices, faces[i] + 1);
	// The corners' edges by their smaller vertex, and among those of one vertex by the larger.
	const firstOf = new Uint32Array(vertices + 1);
	for (let i = 0; i < faces.length; i++) firstOf[Math.min(faces[i], other(i)) + 1]++;
	for (let vertex = 0; vertex < vertices; vertex++) firstOf[vertex + 1] += firstOf[vertex];
	const corners = new Uint32Array(faces.length);
	const larger = new Uint32Array(faces.length);
	const filled = firstOf.slice();
	for (let i = 0; i < faces.length; i++) {
		const low = Math.min(faces[i], other(i));
		const high = Math.max(faces[i], other(i));
		let at = filled[low]++;
		for (; at > firstOf[low] && larger[at - 1] > high; at--) {
			larger[at] = larger[at - 1];
			corners[at] = corners[at - 1];
		}
		larger[at] = high;
		corners[at] = i;
	}
	const keys = new Float64Array(faces.length);
	const edges = new Uint32Array(faces.length * 2);
	const degrees = new Uint32Array(faces.length);
	const faceEdges = new Uint32Array(faces.length);
	let count = 0;
	for (let vertex = 0; vertex < vertices; vertex++) {
		for (let at = firstOf[vertex]; at < firstOf[vertex + 1]; at++) {
			if (at === firstOf[vertex] || larger[at] !== larger[at - 1]) {
				keys[count] = vertex * vertexLimit + larger[at];
				edges[count * 2] = vertex;
				edges[count * 2 + 1] = larger[at];
				count++;
			}
			degrees[count - 1]++;
			faceEdges[corners[at]] = count - 1;
		}
	}
	return { keys: keys.slice(0, count), edges: edges.slice(0, count * 2), faceEdges, degrees: degrees.slice(0, count) };
}

/** The edge between two vertices, -1 where there is none. */
export function edgeBetween({ keys }: MeshEdges, a: number, b: number): number {
	const key = edgeKey(a, b);
	const position = positionIn(keys, key);
	return keys[position] === key ? position : -1;
}

function edgeKey(a: number, b: number): number {
	return Math.min(a, b) * vertexLimit + Math.max(a, b);
}

/** The first position whose value is not below `value`. */
function positionIn(sorted: Float64Array, value: number): number {
	let [low, high] = [0, sorted.length];
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (sorted[middle] < value) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** [n] piece of each row of three edges (faces), joined where they share an edge; pieces are numbered by their first row. */
export function connectedFaces(faceEdges: Uint32Array, edgeCount: number): { readonly pieceOf: Uint32Array; readonly pieces: number } {
	const firstFace = new Int32Array(edgeCount).fill(-1);
	const sets = disjointSets(faceEdges.length / 3);
	faceEdges.forEach((edge, i) => {
		const face = (i - (i % 3)) / 3;
		if (firstFace[edge] < 0) firstFace[edge] = face;
		else sets.join(firstFace[edge], face);
	});
	return sets.numbered();
}

/** [n] loop or path of each of n edges, joined where they share a vertex; numbered by their first edge. */
export function connectedEdges(vertexPairs: Uint32Array): { readonly pieceOf: Uint32Array; readonly pieces: number } {
	const firstEdge = new Map<number, number>();
	const sets = disjointSets(vertexPairs.length / 2);
	vertexPairs.forEach((vertex, i) => {
		const first = firstEdge.get(vertex);
		if (first === undefined) firstEdge.set(vertex, i >> 1);
		else sets.join(first, i >> 1);
	});
	return sets.numbered();
}

/** The graph whose nodes are faces: one link per edge that has exactly two faces. */
export interface DualGraph {
	/** [d, 2] the smaller and the larger face, in the order of the edges. */
	readonly links: Uint32Array;
	/** [d] the edge of each link. */
	readonly edgeOf: Uint32Array;
}

/** Upstream: utils3d.torch.compute_dual_graph. */
export function dualGraph({ faceEdges, degrees }: MeshEdges): DualGraph {
	const linkOf = new Int32Array(degrees.length).fill(-1);
	const edgeOf = Uint32Array.from(degrees.keys()).filter((edge) => degrees[edge] === 2);
	edgeOf.forEach((edge, link) => {
		linkOf[edge] = link;
	});
	const links = new Uint32Array(edgeOf.length * 2);
	const filled = new Uint8Array(edgeOf.length);
	faceEdges.forEach((edge, i) => {
		const link = linkOf[edge];
		if (link >= 0) links[link * 2 + filled[link]++] = (i - (i % 3)) / 3;
	});
	return { links, edgeOf };
}

function disjointSets(count: number) {
	const parent = Uint32Array.from({ length: count }, (_, i) => i);
	const rootOf = (member: number) => {
		let root = member;
		while (parent[root] !== root) {
			parent[root] = parent[parent[root]];
			root = parent[root];
		}
		return root;
	};
	return {
		join(a: number, b: number) {
			const [x, y] = [rootOf(a), rootOf(b)];
			parent[Math.max(x, y)] = Math.min(x, y);
		},
		numbered() {
			const pieceOf = new Uint32Array(count);
			let pieces = 0;
			for (let i = 0; i < count; i++) {
				const root = rootOf(i);
				pieceOf[i] = root === i ? pieces++ : pieceOf[root];
			}
			return { pieceOf, pieces };
		},
	};
}

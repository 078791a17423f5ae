/** Offsets (x, y, z) of the eight corners of a cube: corner i = (i & 1, (i >> 1) & 1, i >> 2). */
export const cubeCorners: readonly (readonly [number, number, number])[] = Array.from({ length: 8 }, (_, i) => [
	i & 1,
	(i >> 1) & 1,
	i >> 2,
]);

/** First and second corner of the twelve edges of a cube; the order of FlexiCubes' edge weights beta. */
export const cubeEdges: readonly (readonly [number, number])[] = [
	[0, 1],
	[1, 5],
	[4, 5],
	[0, 4],
	[2, 3],
	[3, 7],
	[6, 7],
	[2, 6],
	[2, 0],
	[3, 1],
	[7, 5],
	[6, 4],
];

/** What FlexiCubes looks up by the case of a cube: sum of 2^corner over the corners inside the surface. */
export interface FlexicubesTables {
	/** [256] loops of crossed edges, 0..4: one dual vertex each. */
	readonly loopCount: Uint8Array;
	/** [256, 4] edges of each loop as a mask of 12 bits; 0 where there is no such loop. */
	readonly loopEdges: Uint16Array;
	/** [256, 12] loop that an edge belongs to; 255 where the edge is not crossed. */
	readonly loopOfEdge: Uint8Array;
	/** [256] 255 = not flagged; else 2 * axis + side of the ambiguous face across which a flagged case looks at its neighbour. */
	readonly ambiguousFace: Uint8Array;
}

/**
 * Generates the tables from the rules (reference/stage2/ARCHITECTURE.md section 8, checked there against the published ones;
 * method: Shen et al., "Flexible Isosurface Extraction for Gradient-Based Mesh Optimization", 2023, and Nielson's dual marching cubes).
 * On each face the two crossed edges belong together; of four crossed edges, the two at each inside corner. Loops are the connected
 * components, ordered by their lowest inside corner; case 231 is the one exception, its two loops are swapped. Flagged for
 * inversion are cases with exactly one face of four crossings and exactly one loop.
 */
export function generateFlexicubesTables(): FlexicubesTables {
	const tables = {
		loopCount: new Uint8Array(256),
		loopEdges: new Uint16Array(256 * 4),
		loopOfEdge: new Uint8Array(256 * 12).fill(255),
		ambiguousFace: new Uint8Array(256).fill(255),
	};
	for (let cubeCase = 0; cubeCase < 256; cubeCase++) {
		const inside = (corner: number) => ((cubeCase >> corner) & 1) === 1;
		const crossed = cubeEdges.map(([a, b]) => inside(a) !== inside(b));
		const component = cubeEdges.map((_, edge) => edge);
		const join = (a: number, b: number) => {
			const [from, to] = [component[a], component[b]];
			component.forEach((c, edge) => {
				if (c === from) component[edge] = to;
			});
		};
		const ambiguous: number[] = [];
		for (let face = 0; face < 6; face++) {
			const onFace = (corner: number) => cubeCorners[corner][face >> 1] === (face & 1);
			const edges = cubeEdges.flatMap(([a, b], edge) => (crossed[edge] && onFace(a) && onFace(b) ? [edge] : []));
			if (edges.length === 2) join(edges[0], edges[1]);
			if (edges.length < 4) continue;
			ambiguous.push(face);
			for (let corner = 0; corner < 8; corner++) {
				if (!onFace(corner) || !inside(corner)) continue;
				const [first, second] = edges.filter((edge) => cubeEdges[edge].includes(corner));
				join(first, second);
			}
		}
		const loops: number[] = []; // the component of each loop
		for (let corner = 0; corner < 8; corner++) {
			if (!inside(corner)) continue;
			cubeEdges.forEach((ends, edge) => {
				if (crossed[edge] && ends.includes(corner) && !loops.includes(component[edge])) loops.push(component[edge]);
			});
		}
		if (cubeCase === 231) loops.reverse();
		tables.loopCount[cubeCase] = loops.length;
		cubeEdges.forEach((_, edge) => {
			if (!crossed[edge]) return;
			const loop = loops.indexOf(component[edge]);
			tables.loopOfEdge[cubeCase * 12 + edge] = loop;
			tables.loopEdges[cubeCase * 4 + loop] |= 1 << edge;
		});
		if (ambiguous.length === 1 && loops.length === 1) tables.ambiguousFace[cubeCase] = ambiguous[0];
	}
	return tables;
}

/** The tables, generated once. */
export const flexicubesTables: FlexicubesTables = generateFlexicubesTables();

/**
 * The tables for the shaders, u32 [256, 8] by case: loops in bits 0..7 and ambiguous face in bits 8..15; four masks of the loops' edges; the
 * loops of edges 0..7 and 8..11 in four bits each, 15 where an edge is not crossed; 0.
 */
export function packedTables(): Uint32Array<ArrayBuffer> {
	const { loopCount, loopEdges, loopOfEdge, ambiguousFace } = flexicubesTables;
	const packed = new Uint32Array(256 * 8);
	for (let cubeCase = 0; cubeCase < 256; cubeCase++) {
		const at = cubeCase * 8;
		packed[at] = loopCount[cubeCase] | (ambiguousFace[cubeCase] << 8);
		packed.set(loopEdges.subarray(cubeCase * 4, cubeCase * 4 + 4), at + 1);
		for (let edge = 0; edge < 12; edge++) packed[at + 5 + (edge >> 3)] |= (loopOfEdge[cubeCase * 12 + edge] & 15) << ((edge & 7) * 4);
	}
	return packed;
}

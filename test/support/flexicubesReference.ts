// FlexiCubes the plain way: dense grids, maps and f64, straight from the rules (reference/stage2/ARCHITECTURE.md section 8), with its
// own tables by union of edges. Only for small grids.

export const corners = Array.from({ length: 8 }, (_, i) => [i & 1, (i >> 1) & 1, i >> 2]);
export const edges = ["01", "15", "45", "04", "23", "37", "67", "26", "20", "31", "75", "64"].map((e) => [Number(e[0]), Number(e[1])]);

/** A dense field: vertex (x, y, z) is row (x (r + 1) + y) (r + 1) + z, cube row (x r + y) r + z; raw values. */
export interface DenseField {
	readonly resolution: number;
	readonly sdf: ArrayLike<number>;
	/** [vertices, 3] */
	readonly deform: ArrayLike<number>;
	/** [vertices, 6] */
	readonly colors: ArrayLike<number>;
	/** [cubes, 21] */
	readonly weights: ArrayLike<number>;
}

export interface ReferenceMesh {
	readonly positions: number[];
	readonly attributes: number[];
	readonly faces: number[];
	readonly cubes: number[];
	readonly originalCases: number[];
	readonly cases: number[];
	readonly edges: number[];
}

/** Loops of a case (edges ascending) and its flag: axis and side of the only ambiguous face. */
function loopsOf(cubeCase: number): { loops: number[][]; flag: [number, number] | undefined } {
	const inside = (corner: number) => ((cubeCase >> corner) & 1) === 1;
	const crossing = edges.flatMap(([a, b], e) => (inside(a) === inside(b) ? [] : [e]));
	let groups = crossing.map((e) => [e]);
	const join = (pair: number[]) => {
		const touched = groups.filter((g) => g.includes(pair[0]) || g.includes(pair[1]));
		groups = [...groups.filter((g) => !touched.includes(g)), touched.flat()];
	};
	const ambiguous: [number, number][] = [];
	for (let axis = 0; axis < 3; axis++) {
		for (const side of [0, 1]) {
			const onFace = crossing.filter((e) => edges[e].every((corner) => corners[corner][axis] === side));
			if (onFace.length === 2) join(onFace);
			if (onFace.length !== 4) continue;
			ambiguous.push([axis, side]);
			for (let corner = 0; corner < 8; corner++)
				if (corners[corner][axis] === side && inside(corner)) join(onFace.filter((e) => edges[e].includes(corner)));
		}
	}
	const lowest = (loop: number[]) => Math.min(...loop.flatMap((e) => edges[e].filter(inside)));
	groups.sort((a, b) => lowest(a) - lowest(b));
	if (cubeCase === 231) groups.reverse();
	return {
		loops: groups.map((g) => g.sort((a, b) => a - b)),
		flag: ambiguous.length === 1 && groups.length === 1 ? ambiguous[0] : undefined,
	};
}

const table = Array.from({ length: 256 }, (_, cubeCase) => loopsOf(cubeCase));

/** Vertices, faces and everything on the way, in the official order. */
export function referenceFlexicubes({ resolution, sdf, deform, colors, weights }: DenseField): ReferenceMesh {
	const r = resolution;
	const n = r + 1;
	const vertexId = (p: number[]) => (p[0] * n + p[1]) * n + p[2];
	const cubeId = (p: number[]) => (p[0] * r + p[1]) * r + p[2];
	const plus = (p: number[], q: number[]) => p.map((v, k) => v + q[k]);
	const found = new Map<number, { at: number[]; original: number; final: number }>();
	for (let x = 0; x < r; x++) {
		for (let y = 0; y < r; y++) {
			for (let z = 0; z < r; z++) {
				const original = corners.reduce((sum, c, i) => sum + (sdf[vertexId(plus([x, y, z], c))] < 0 ? 1 << i : 0), 0);
				if (original > 0 && original < 255) found.set(cubeId([x, y, z]), { at: [x, y, z], original, final: original });
			}
		}
	}
	for (const cube of found.values()) {
		const { flag } = table[cube.original];
		if (flag === undefined) continue;
		const next = [...cube.at];
		next[flag[0]] += flag[1] === 1 ? 1 : -1;
		if (next[flag[0]] < 0 || next[flag[0]] >= r) continue;
		const other = found.get(cubeId(next));
		if (other !== undefined && table[other.original].flag !== undefined) cube.final = 255 - cube.original;
	}
	const aroundOne = (raw: number) => 1 + 0.99 * Math.tanh(raw);
	const sigmoid = (raw: number) => 1 / (1 + Math.exp(-raw));
	const mesh = { positions: [] as number[], attributes: [] as number[] };
	const gammas: number[] = [];
	const owners = new Map<string, { ends: number[]; cubes: number; duals: [cube: number, dual: number][] }>();
	const order = [...found.keys()].sort(
		(a, b) => table[found.get(a)?.final ?? 0].loops.length - table[found.get(b)?.final ?? 0].loops.length || a - b,
	);
	for (const id of order) {
		const { at, final } = found.get(id) as { at: number[]; final: number };
		const weight = (k: number) => weights[id * 21 + k];
		for (const loop of table[final].loops) {
			const sum = new Array<number>(9).fill(0);
			let betas = 0;
			for (const e of loop) {
				const [pa, pb] = edges[e].map((corner) => plus(at, corners[corner]));
				const ends = [vertexId(pa), vertexId(pb)];
				const value = (p: number[], k: number) =>
					k < 3
						? p[k] / r - 0.5 + ((1 - 1e-8) / (2 * r)) * Math.tanh(deform[vertexId(p) * 3 + k])
						: sigmoid(colors[vertexId(p) * 6 + k - 3]);
				const sa = sdf[ends[0]] * aroundOne(weight(12 + edges[e][0]));
				const sb = sdf[ends[1]] * aroundOne(weight(12 + edges[e][1]));
				const beta = aroundOne(weight(e));
				betas += beta;
				for (let k = 0; k < 9; k++) sum[k] += (beta * (sb * value(pa, k) - sa * value(pb, k))) / (sb - sa);
				const owner = owners.get(ends.join()) ?? { ends, cubes: 0, duals: [] };
				owner.cubes++;
				owner.duals.push([id, gammas.length]);
				owners.set(ends.join(), owner);
			}
			gammas.push(0.99 * sigmoid(weight(20)) + 0.005);
			mesh.positions.push(...sum.slice(0, 3).map((v) => v / betas));
			mesh.attributes.push(...sum.slice(3).map((v) => v / betas));
		}
	}
	const sorted = [...owners.values()].sort((a, b) => a.ends[0] - b.ends[0] || a.ends[1] - b.ends[1]);
	const faces: [number[], number[]] = [[], []];
	for (const { ends, duals } of sorted) {
		if (duals.length !== 4) continue;
		const o = duals.sort((a, b) => a[0] - b[0]).map(([, dual]) => dual);
		const isPositive = sdf[ends[0]] > 0;
		const [a, b, c, d] = isPositive ? [o[0], o[1], o[3], o[2]] : [o[2], o[3], o[1], o[0]];
		faces[isPositive ? 0 : 1].push(...(gammas[a] * gammas[c] > gammas[b] * gammas[d] ? [a, b, c, a, c, d] : [a, b, d, d, b, c]));
	}
	const cubes = [...found.keys()].sort((a, b) => a - b);
	return {
		...mesh,
		faces: faces.flat(),
		cubes,
		originalCases: cubes.map((id) => found.get(id)?.original ?? 0),
		cases: cubes.map((id) => found.get(id)?.final ?? 0),
		edges: sorted.flatMap(({ ends }) => ends),
	};
}

/** Cube features [n, 101] at `coords` [n, 3] as a dense field: means over active cubes, sdf + bias + added; +1 and 0 elsewhere. */
export function denseField(
	resolution: number,
	coords: ArrayLike<number>,
	features: ArrayLike<number>,
	added: (p: number[]) => number = () => 0,
): DenseField {
	const n = resolution + 1;
	const sdf = new Float64Array(n ** 3);
	const deform = new Float64Array(n ** 3 * 3);
	const colors = new Float64Array(n ** 3 * 6);
	const weights = new Float64Array(resolution ** 3 * 21);
	const count = new Float64Array(n ** 3);
	for (let row = 0; row < coords.length / 3; row++) {
		const at = [coords[row * 3], coords[row * 3 + 1], coords[row * 3 + 2]];
		corners.forEach((corner, i) => {
			const p = at.map((v, k) => v + corner[k]);
			const v = (p[0] * n + p[1]) * n + p[2];
			count[v]++;
			sdf[v] += features[row * 101 + i] - 1 / resolution + added(p.map((c) => c / resolution - 0.5));
			for (let k = 0; k < 3; k++) deform[v * 3 + k] += features[row * 101 + 8 + i * 3 + k];
			for (let k = 0; k < 6; k++) colors[v * 6 + k] += features[row * 101 + 53 + i * 6 + k];
		});
		for (let k = 0; k < 21; k++) weights[((at[0] * resolution + at[1]) * resolution + at[2]) * 21 + k] = features[row * 101 + 32 + k];
	}
	for (let v = 0; v < n ** 3; v++) {
		if (count[v] === 0) sdf[v] = 1;
		else {
			sdf[v] /= count[v];
			for (let k = 0; k < 3; k++) deform[v * 3 + k] /= count[v];
			for (let k = 0; k < 6; k++) colors[v * 6 + k] /= count[v];
		}
	}
	return { resolution, sdf, deform, colors, weights };
}

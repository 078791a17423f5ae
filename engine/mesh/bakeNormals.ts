import { bodyCameras, sampleBodyView } from "./bodyViews.ts";
import { depthRaster } from "./depthRaster.ts";
import type { Mesh } from "./mesh.ts";
import { rasterizeFaces } from "./triangleRaster.ts";

/** A square picture of stage 1's normals, as stored (back and left turned over), on white. */
export interface NormalView {
	readonly width: number;
	readonly height: number;
	/** [height, width, 3] 0.5 + 0.5 (x, z, -y) of the world's normal, 0..255. */
	readonly data: Uint8Array;
}

/** What `bakeNormals` needs. */
export interface NormalBakeRequest {
	/** The unwrapped surface. */
	readonly mesh: Mesh;
	/** [v, 2] v runs up. */
	readonly uvs: Float32Array;
	/** [v, 3] unit normals, [v, 4] tangents of `vertexTangents`. */
	readonly normals: Float32Array;
	readonly tangents: Float32Array;
	/** Front, right, back, left; then, where there is one, the face: the middle third of the upper third of the front. */
	readonly views: readonly NormalView[];
	/** Texels per side. */
	readonly size: number;
}

/** As for vertex colours: pixels of the rasters, how far behind them still counts as seen, and the smallest cosine. */
const [rasterSize, depthTolerance, smallestCosine] = [1024, 0.006, 0.2];
/** Weight below which the surface's own normal mixes in. */
const fullWeight = 0.05;
/** How much more the face view counts than the front in its part. */
const faceWeight = 4;
/** Rings of texels around the charts that take their neighbours' normals. */
const grownTexels = 4;
const faceView = 4;

/**
 * A normal map u8 [size, size, 3] in glTF's tangent space (0.5 + 0.5 n; y along growing v; row 0 at v = 1): at every texel the normals of the views
 * that see its point, weighted by the fourth power of the cosine to the view; where none does, the surface's own (128, 128, 255).
 * Deterministic. Upstream has none. Not fitted like the colours: a texel that no view sees must show the surface's own normal, which a fit
 * cannot know.
 */
export function bakeNormals({ mesh, uvs, normals, tangents, views, size }: NormalBakeRequest): Uint8Array {
	const rasters = bodyCameras.map((camera) => depthRaster(mesh, camera, rasterSize));
	const clip = new Float32Array((uvs.length / 2) * 4);
	for (let v = 0; v * 2 < uvs.length; v++) clip.set([uvs[v * 2] * 2 - 1, uvs[v * 2 + 1] * 2 - 1, 0, 1], v * 4);
	const { faces: covering } = rasterizeFaces(clip, mesh.faces, size, size);
	const map = new Uint8Array(size * size * 3);
	const covered = new Uint8Array(size * size);
	for (let i = 0; i < size * size; i++) map.set(flat, i * 3);
	const [position, normal, tangent, seen, sample] = [
		new Float64Array(3),
		new Float64Array(3),
		new Float64Array(4),
		new Float64Array(3),
		new Float64Array(3),
	];
	const bodyViews = views.map(({ width, height, data }) => ({ width, height, color: data, normal: data }));
	const weights = new Float64Array(3);
	for (let pixel = 0; pixel < size * size; pixel++) {
		if (covering[pixel] === 0) continue;
		const row = Math.floor(pixel / size);
		const corners = (covering[pixel] - 1) * 3;
		barycentric((pixel - row * size + 0.5) / size, (row + 0.5) / size, mesh.faces, corners, uvs, weights);
		mix(mesh.positions, 3, mesh.faces, corners, weights, position);
		mix(normals, 3, mesh.faces, corners, weights, normal);
		mix(tangents, 4, mesh.faces, corners, weights, tangent);
		normalize(normal);
		seen.fill(0);
		let total = 0;
		for (let view = 0; view < views.length; view++) {
			const camera = view === faceView ? 0 : view;
			const { direction, columnAxis } = bodyCameras[camera];
			const cosine = normal[0] * direction[0] + normal[1] * direction[1] + normal[2] * direction[2];
			if (cosine < smallestCosine) continue;
			let [u, v] = [position[columnAxis] + 0.5, 0.5 - position[2]];
			const depth = position[0] * direction[0] + position[1] * direction[1] + position[2] * direction[2];
			const [column, line] = [u, v].map((at) => Math.min(Math.max(Math.floor(at * rasterSize), 0), rasterSize - 1));
			if (rasters[camera].nearest[line * rasterSize + column] > depth + depthTolerance) continue;
			if (view === faceView) {
				[u, v] = [(u - 1 / 3) * 3, v * 3];
				if (!(u > 0.02 && u < 0.98 && v > 0.02 && v < 0.98)) continue;
			}
			const weight = cosine ** 4 * sampleBodyView(bodyViews[view], u, v, sample) * (view === faceView ? faceWeight : 1);
			// The picture's r, g, b are the world's x, z and -y.
			const [x, y, z] = [sample[0] * 2 - 1, 1 - sample[2] * 2, sample[1] * 2 - 1];
			const length = Math.sqrt(x * x + y * y + z * z);
			if (!(weight > 0) || !(length > 0.5) || x * normal[0] + y * normal[1] + z * normal[2] < 0.1 * length) continue;
			total += weight;
			seen[0] += (weight * x) / length;
			seen[1] += (weight * y) / length;
			seen[2] += (weight * z) / length;
		}
		const at = ((size - 1 - row) * size + pixel - row * size) * 3;
		covered[at / 3] = 1;
		if (total === 0) continue;
		const share = Math.min(1, total / fullWeight);
		for (let k = 0; k < 3; k++) seen[k] = (seen[k] / total) * share + normal[k] * (1 - share);
		normalize(seen);
		map.set(inTangentSpace(seen, normal, tangent), at);
	}
	growCharts(map, covered, size);
	return map;
}

const flat = [128, 128, 255];

/** Weights of a face's three corners at (u, v). */
function barycentric(u: number, v: number, faces: Uint32Array, corners: number, uvs: Float32Array, weights: Float64Array): void {
	const [a, b, c] = [faces[corners] * 2, faces[corners + 1] * 2, faces[corners + 2] * 2];
	const area = (uvs[b] - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[c] - uvs[a]) * (uvs[b + 1] - uvs[a + 1]);
	weights[1] = ((u - uvs[a]) * (uvs[c + 1] - uvs[a + 1]) - (uvs[c] - uvs[a]) * (v - uvs[a + 1])) / area;
	weights[2] = ((uvs[b] - uvs[a]) * (v - uvs[a + 1]) - (u - uvs[a]) * (uvs[b + 1] - uvs[a + 1])) / area;
	weights[0] = 1 - weights[1] - weights[2];
}

function mix(rows: Float32Array, width: number, faces: Uint32Array, corners: number, weights: Float64Array, result: Float64Array): void {
	for (let k = 0; k < width; k++) {
		result[k] = 0;
		for (let corner = 0; corner < 3; corner++) result[k] += weights[corner] * rows[faces[corners + corner] * width + k];
	}
}

function normalize(vector: Float64Array): void {
	const length = Math.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2);
	if (length > 0) for (let k = 0; k < 3; k++) vector[k] /= length;
}

/** A world normal as bytes along tangent, bitangent and normal. */
function inTangentSpace(vector: Float64Array, normal: Float64Array, tangent: Float64Array): number[] {
	const along = tangent[0] * normal[0] + tangent[1] * normal[1] + tangent[2] * normal[2];
	const t = [0, 1, 2].map((k) => tangent[k] - along * normal[k]);
	const length = Math.hypot(...t) || 1;
	const sign = tangent[3] < 0 ? -1 : 1;
	const b = [0, 1, 2].map((k) => ((normal[(k + 1) % 3] * t[(k + 2) % 3] - normal[(k + 2) % 3] * t[(k + 1) % 3]) * sign) / length);
	const dot = (axis: ArrayLike<number>) => vector[0] * axis[0] + vector[1] * axis[1] + vector[2] * axis[2];
	return [dot(t) / length, dot(b), dot(normal)].map((value) => Math.min(255, Math.max(0, Math.round(127.5 + 127.5 * value))));
}

/** Texels beside the charts take the mean of those beside them, ring by ring. */
function growCharts(map: Uint8Array, covered: Uint8Array, size: number): void {
	for (let ring = 0; ring < grownTexels; ring++) {
		const before = covered.slice();
		for (let y = 0; y < size; y++) {
			for (let x = 0; x < size; x++) {
				const pixel = y * size + x;
				if (before[pixel] === 1) continue;
				const [sum, count] = [[0, 0, 0], [0]];
				for (const [dx, dy] of neighbours) {
					const [column, row] = [x + dx, y + dy];
					if (column < 0 || row < 0 || column >= size || row >= size || before[row * size + column] === 0) continue;
					count[0]++;
					for (let k = 0; k < 3; k++) sum[k] += map[(row * size + column) * 3 + k];
				}
				if (count[0] === 0) continue;
				for (let k = 0; k < 3; k++) map[pixel * 3 + k] = Math.round(sum[k] / count[0]);
				covered[pixel] = 1;
			}
		}
	}
}

const neighbours = [
	[-1, 0],
	[1, 0],
	[0, -1],
	[0, 1],
] as const;

import { type BodyView, bodyCameras, checkBodyViews, sampleBodyView } from "./bodyViews.ts";
import { type DepthRaster, depthRaster } from "./depthRaster.ts";
import type { Mesh } from "./mesh.ts";

/** Pixels per side of the rasters that tell which camera sees a vertex; a cube of the 256^3 grid is two of them. */
const rasterSize = 512;

/** How far a vertex may lie behind what the raster shows and still count as seen: 2.5 cubes of the 256^3 grid. */
const depthTolerance = 0.01;

/** Views that a vertex faces by less than this cosine do not colour it: silhouettes carry background and stretched pixels. */
const smallestCosine = 0.15;

/**
 * [v, 3] sRGB colours, 0..1, of a mesh inside [-0.5, 0.5]^3. Each vertex takes the bilinear colour of the body views (order: front,
 * right, back, left) that see it, weighted by the fourth power of the cosine between its normal and the view; what no view sees takes
 * the mean of its coloured neighbours, ring by ring. Pieces that no view sees at all are grey. `normals` [v, 3] of unit length.
 * Throws code "input" where the views do not fit. Deterministic.
 */
export function vertexColors(mesh: Mesh, normals: Float32Array, views: readonly BodyView[]): Float32Array {
	checkBodyViews(views);
	const rasters = bodyCameras.map((camera) => depthRaster(mesh, camera, rasterSize));
	const count = mesh.positions.length / 3;
	const colors = new Float32Array(count * 3);
	const isColored = new Uint8Array(count);
	const sample = new Float64Array(3);
	const sum = new Float64Array(3);
	for (let vertex = 0; vertex < count; vertex++) {
		const position = mesh.positions.subarray(vertex * 3, vertex * 3 + 3);
		let total = 0;
		sum.fill(0);
		for (let view = 0; view < views.length; view++) {
			const { direction, columnAxis } = bodyCameras[view];
			const cosine = normals[vertex * 3] * direction[0] + normals[vertex * 3 + 1] * direction[1] + normals[vertex * 3 + 2] * direction[2];
			if (cosine < smallestCosine) continue;
			const [u, v] = [position[columnAxis] + 0.5, 0.5 - position[2]];
			const depth = position[0] * direction[0] + position[1] * direction[1] + position[2] * direction[2];
			if (isHidden(rasters[view], u, v, depth)) continue;
			const weight = cosine ** 4 * sampleBodyView(views[view], u, v, sample);
			total += weight;
			for (let k = 0; k < 3; k++) sum[k] += weight * sample[k];
		}
		if (total === 0) continue;
		isColored[vertex] = 1;
		for (let k = 0; k < 3; k++) colors[vertex * 3 + k] = sum[k] / total;
	}
	spreadColors(mesh.faces, colors, isColored);
	return colors;
}

function isHidden({ size, nearest }: DepthRaster, u: number, v: number, depth: number): boolean {
	const column = Math.min(Math.max(Math.floor(u * size), 0), size - 1);
	const row = Math.min(Math.max(Math.floor(v * size), 0), size - 1);
	return nearest[row * size + column] > depth + depthTolerance;
}

/** Colours the rest from their neighbours, one ring of vertices after the other; each ring reads only earlier ones. */
function spreadColors(faces: Uint32Array, colors: Float32Array, isColored: Uint8Array): void {
	const { starts, neighbours } = neighbourLists(faces, isColored.length);
	let waiting = Uint32Array.from(isColored.keys()).filter((vertex) => isColored[vertex] === 0);
	while (waiting.length > 0) {
		const ring: number[] = [];
		const values: number[] = [];
		for (const vertex of waiting) {
			const around = neighbours.subarray(starts[vertex], starts[vertex + 1]).filter((other) => isColored[other] === 1);
			if (around.length === 0) continue;
			ring.push(vertex);
			for (let k = 0; k < 3; k++) values.push(around.reduce((total, other) => total + colors[other * 3 + k], 0) / around.length);
		}
		if (ring.length === 0) break;
		ring.forEach((vertex, i) => {
			colors.set(values.slice(i * 3, i * 3 + 3), vertex * 3);
			isColored[vertex] = 1;
		});
		waiting = waiting.filter((vertex) => isColored[vertex] === 0);
	}
	for (const vertex of waiting) colors.fill(0.5, vertex * 3, vertex * 3 + 3);
}

/** For each vertex the ends of its faces' edges, in the order of the faces; inner edges come twice. */
function neighbourLists(faces: Uint32Array, count: number): { starts: Uint32Array; neighbours: Uint32Array } {
	const starts = new Uint32Array(count + 1);
	for (const vertex of faces) starts[vertex + 1] += 2;
	for (let i = 0; i < count; i++) starts[i + 1] += starts[i];
	const neighbours = new Uint32Array(faces.length * 2);
	const next = starts.slice();
	for (let i = 0; i < faces.length; i += 3) {
		for (let corner = 0; corner < 3; corner++) {
			const vertex = faces[i + corner];
			neighbours[next[vertex]++] = faces[i + ((corner + 1) % 3)];
			neighbours[next[vertex]++] = faces[i + ((corner + 2) % 3)];
		}
	}
	return { starts, neighbours };
}

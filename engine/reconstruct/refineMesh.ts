import { bodyCameras, isBodyPixel } from "../mesh/bodyViews.ts";
import { depthRaster } from "../mesh/depthRaster.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { vertexNormals } from "../mesh/vertexNormals.ts";
import type { FourViews } from "./bodyDepths.ts";
import { solveGraphLaplacian } from "./graphLaplacian.ts";
import { normalPyramid } from "./normalFlow.ts";
import type { ThinSheets } from "./thinSheets.ts";
import { contourPulls, flowPulls } from "./vertexPulls.ts";

/** What a mesh is fitted to. */
export interface RefineRequest {
	/** Front, right, back, left. */
	readonly views: FourViews;
	/** [size, size] signed distances, in pixels, of the silhouettes of front and back, and of left and right. */
	readonly distances: readonly [Float32Array, Float32Array];
	readonly rounds: number;
	/** Parts whose normals say nothing. */
	readonly sheets?: ThinSheets | undefined;
}

/** Pull, where an edge's is 1, towards where the vertex was. */
const restWeight = 0.005;
/** Conjugate-gradient steps of a round. */
const iterations = 60;
/** Pixels per side that displacements are looked for at, at most. */
const flowSide = 192;

/**
 * Moves vertices so that the surface's normals become those of the normal maps that see it, and its rims the silhouettes': edges are turned into the
 * planes that the maps ask for and joined again by least squares, while what a view shows elsewhere (an arm before the body) is drawn
 * there, a few times over. Faces stay.
 */
export function refineMesh(mesh: Mesh, { views, distances, rounds, sheets }: RefineRequest): Mesh {
	const { faces } = mesh;
	const ends = meshEnds(faces);
	const count = mesh.positions.length / 3;
	const isHeld = heldVertices(mesh, sheets);
	const pyramids = views.map((view) => normalPyramid(view, Math.min(flowSide, view.size)));
	let positions = mesh.positions;
	for (let round = 0; round < rounds; round++) {
		const current = { positions, faces };
		const normals = vertexNormals(current);
		const wanted = wantedNormals(current, normals, views, isHeld);
		const targets = edgeTargets(positions, ends, wanted);
		const pulls = contourPulls(positions, normals, views[0].size, distances);
		if (round + 1 < rounds) flowPulls(current, normals, { pyramids, distances, isHeld }, pulls);
		const moved = new Float32Array(positions.length);
		for (let axis = 0; axis < 3; axis++) {
			const values = Float64Array.from({ length: count }, (_, i) => positions[i * 3 + axis]);
			const anchors = new Float64Array(count);
			const places = new Float64Array(count);
			for (let i = 0; i < count; i++) {
				const pull = pulls.weights[i * 3 + axis];
				anchors[i] = restWeight + pull;
				places[i] = (restWeight * values[i] + pull * pulls.goals[i * 3 + axis]) / anchors[i];
			}
			solveGraphLaplacian(
				{ ends, weights: new Float64Array(ends.length / 2).fill(1), targets: targets[axis], anchors, wanted: places },
				values,
				iterations,
			);
			for (let i = 0; i < count; i++) moved[i * 3 + axis] = values[i];
		}
		positions = moved;
	}
	return { positions, faces };
}

/** [e, 2] the edges of closed triangles, each once. */
function meshEnds(faces: Uint32Array): Uint32Array {
	const ends: number[] = [];
	for (let i = 0; i < faces.length; i += 3) {
		for (let k = 0; k < 3; k++) {
			const [a, b] = [faces[i + k], faces[i + ((k + 1) % 3)]];
			if (a < b) ends.push(a, b);
		}
	}
	return Uint32Array.from(ends);
}

/** [v] 1 where a vertex lies on a thin sheet. */
function heldVertices({ positions }: Mesh, sheets: ThinSheets | undefined): Uint8Array {
	const isHeld = new Uint8Array(positions.length / 3);
	if (sheets === undefined) return isHeld;
	const { columns, side } = sheets;
	for (let i = 0; i < isHeld.length; i++) {
		const [x, y, z] = [0, 1, 2].map((axis) => Math.round((positions[i * 3 + axis] + 0.5) * (side - 1)));
		if (columns[0][x * side + z] === 1 || columns[1][y * side + z] === 1) isHeld[i] = 1;
	}
	return isHeld;
}

/** [v, 3] unit normals that the views see at the vertices; the surface's own where none does. */
function wantedNormals(mesh: Mesh, normals: Float32Array, views: FourViews, isHeld: Uint8Array): Float32Array {
	const { positions } = mesh;
	const wanted = new Float32Array(normals.length);
	const rasterSize = Math.min(512, views[0].size);
	const tolerance = 4 / rasterSize;
	bodyCameras.forEach((camera, view) => {
		const { direction, columnAxis } = camera;
		const { nearest } = depthRaster(mesh, camera, rasterSize);
		const { size, normal } = views[view];
		for (let i = 0; i < positions.length; i += 3) {
			const facing = normals[i] * direction[0] + normals[i + 1] * direction[1];
			if (facing < 0.1 || isHeld[i / 3] === 1) continue;
			const [u, v] = [positions[i + columnAxis] + 0.5, 0.5 - positions[i + 2]];
			const column = Math.min(Math.max(Math.floor(u * rasterSize), 0), rasterSize - 1);
			const row = Math.min(Math.max(Math.floor(v * rasterSize), 0), rasterSize - 1);
			const depth = positions[i] * direction[0] + positions[i + 1] * direction[1];
			if (nearest[row * rasterSize + column] > depth + tolerance) continue;
			const weight = facing ** 4;
			sampleNormal(size, normal, u, v, weight, wanted, i);
		}
	});
	for (let i = 0; i < wanted.length; i += 3) {
		const length = Math.hypot(wanted[i], wanted[i + 1], wanted[i + 2]);
		const agreement = length > 0 ? (wanted[i] * normals[i] + wanted[i + 1] * normals[i + 1] + wanted[i + 2] * normals[i + 2]) / length : 0;
		for (let k = 0; k < 3; k++) wanted[i + k] = agreement > 0.3 ? wanted[i + k] / length : normals[i + k];
	}
	return wanted;
}

/** Adds the bilinear normal of a map at (u, v), in world axes, body pixels alone. */
function sampleNormal(size: number, normal: Uint8Array, u: number, v: number, weight: number, sum: Float32Array, at: number): void {
	const [x, y] = [u * size - 0.5, v * size - 0.5];
	const [left, top] = [Math.floor(x), Math.floor(y)];
	for (let corner = 0; corner < 4; corner++) {
		const [dx, dy] = [corner & 1, corner >> 1];
		const [column, row] = [left + dx, top + dy];
		if (column < 0 || row < 0 || column >= size || row >= size) continue;
		const pixel = row * size + column;
		if (!isBodyPixel({ normal }, pixel)) continue;
		const share = weight * (dx === 1 ? x - left : left + 1 - x) * (dy === 1 ? y - top : top + 1 - y);
		sum[at] += share * (normal[pixel * 3] / 127.5 - 1);
		sum[at + 1] -= share * (normal[pixel * 3 + 2] / 127.5 - 1);
		sum[at + 2] += share * (normal[pixel * 3 + 1] / 127.5 - 1);
	}
}

/** Per axis [e]: the edges, turned at right angles to the mean of their ends' normals, as long as before. */
function edgeTargets(positions: Float32Array, ends: Uint32Array, normals: Float32Array): readonly Float64Array[] {
	const count = ends.length / 2;
	const targets = [0, 1, 2].map(() => new Float64Array(count));
	for (let e = 0; e < count; e++) {
		const [a, b] = [ends[e * 2] * 3, ends[e * 2 + 1] * 3];
		const [nx, ny, nz] = [normals[a] + normals[b], normals[a + 1] + normals[b + 1], normals[a + 2] + normals[b + 2]];
		const [ex, ey, ez] = [positions[b] - positions[a], positions[b + 1] - positions[a + 1], positions[b + 2] - positions[a + 2]];
		const square = nx * nx + ny * ny + nz * nz;
		const along = square > 0 ? (nx * ex + ny * ey + nz * ez) / square : 0;
		const [tx, ty, tz] = [ex - along * nx, ey - along * ny, ez - along * nz];
		const length = Math.hypot(tx, ty, tz);
		const scale = length > 0 ? Math.hypot(ex, ey, ez) / length : 0;
		targets[0][e] = tx * scale;
		targets[1][e] = ty * scale;
		targets[2][e] = tz * scale;
	}
	return targets;
}

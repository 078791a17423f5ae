import { bodyCameras } from "../mesh/bodyViews.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type NormalPyramid, normalFlow } from "./normalFlow.ts";
import { normalRaster } from "./normalRaster.ts";
import { sampleMap } from "./sampleMap.ts";

/** Where vertices belong, as far as is known. */
export interface Pulls {
	/** [v, 3] how strongly each coordinate is pulled. */
	readonly weights: Float32Array;
	/** [v, 3] where to. */
	readonly goals: Float32Array;
}

/** Pulls, where an edge's is 1: of a rim to the silhouette, of what lies outside back to it, of what is seen elsewhere to there. */
const [rimWeight, outsideWeight, flowWeight] = [0.4, 3, 1];
/** A rim's normal has no larger component towards the camera; what is seen elsewhere has no smaller one. */
const [rimFacing, flowFacing] = [0.25, 0.2];
/** Pixels within which a vertex belongs to the rim, and pixels, of 768 a side, nearer to it than which only the rim's pull counts. */
const [rimPixels, flowMargin] = [8, 4];
/** Pixels of depth behind the nearest surface that still count as seen. */
const behind = 4;

/** Pulls of rims to the silhouettes: signed distances [size, size], in pixels, of front and back, and of left and right. */
export function contourPulls(
	positions: Float32Array,
	normals: Float32Array,
	size: number,
	distances: readonly [Float32Array, Float32Array],
): Pulls {
	const pulls: Pulls = { weights: new Float32Array(positions.length), goals: positions.slice() };
	distances.forEach((distance, pair) => {
		const columnAxis = pair;
		const depthAxis = 1 - pair;
		for (let i = 0; i < positions.length; i += 3) {
			const facing = Math.abs(normals[i + depthAxis]);
			const [x, y] = [(positions[i + columnAxis] + 0.5) * size - 0.5, (0.5 - positions[i + 2]) * size - 0.5];
			const d = sampleMap(distance, size, x, y);
			if (d < -rimPixels || (d < 0 && facing > rimFacing)) continue;
			const [gx, gy] = [
				(sampleMap(distance, size, x + 1, y) - sampleMap(distance, size, x - 1, y)) / 2,
				(sampleMap(distance, size, x, y + 1) - sampleMap(distance, size, x, y - 1)) / 2,
			];
			const length = Math.hypot(gx, gy);
			if (length < 0.5) continue;
			const outwards = (gx * normals[i + columnAxis] - gy * normals[i + 2]) / length;
			if (d < 0 && outwards < 0.7) continue;
			const weight = d > 0 ? outsideWeight : rimWeight * (1 - (facing / rimFacing) ** 2);
			const step = d / length / size;
			addPull(pulls, i + columnAxis, positions[i + columnAxis] - (step * gx) / length, weight);
			addPull(pulls, i + 2, positions[i + 2] + (step * gy) / length, weight);
		}
	});
	return pulls;
}

/** What `flowPulls` compares a surface with. */
export interface FlowRequest {
	/** Of the four views, all from one size. */
	readonly pyramids: readonly NormalPyramid[];
	/** As for `contourPulls`. */
	readonly distances: readonly [Float32Array, Float32Array];
	/** [v] 1 for vertices that stay. */
	readonly isHeld: Uint8Array;
}

/** Adds to `pulls` those towards where the views show what lies at the vertices that they see (`normalFlow`). */
export function flowPulls(mesh: Mesh, normals: Float32Array, { pyramids, distances, isHeld }: FlowRequest, pulls: Pulls): void {
	const { positions } = mesh;
	const [{ size }] = pyramids[0];
	const fine = Math.sqrt(distances[0].length);
	const margin = (flowMargin * fine) / 768;
	for (const [view, camera] of bodyCameras.entries()) {
		const { direction, columnAxis } = camera;
		const raster = normalRaster(mesh, normals, camera, size);
		const { steps, fit } = normalFlow(raster, pyramids[view]);
		for (let i = 0; i < positions.length; i += 3) {
			const facing = normals[i] * direction[0] + normals[i + 1] * direction[1];
			if (facing < flowFacing || isHeld[i / 3] === 1) continue;
			const [u, v] = [positions[i + columnAxis] + 0.5, 0.5 - positions[i + 2]];
			const column = Math.min(Math.max(Math.floor(u * size), 0), size - 1);
			const row = Math.min(Math.max(Math.floor(v * size), 0), size - 1);
			const pixel = row * size + column;
			const depth = positions[i] * direction[0] + positions[i + 1] * direction[1];
			if (raster.nearest[pixel] > depth + behind / size) continue;
			if (sampleMap(distances[columnAxis], fine, u * fine - 0.5, v * fine - 0.5) > -margin) continue;
			const weight = flowWeight * facing * facing * fit[pixel];
			addPull(pulls, i + columnAxis, positions[i + columnAxis] + steps[pixel * 2] / size, weight);
			addPull(pulls, i + 2, positions[i + 2] - steps[pixel * 2 + 1] / size, weight);
		}
	}
}

function addPull({ weights, goals }: Pulls, at: number, goal: number, weight: number): void {
	if (weight === 0) return;
	goals[at] = (goals[at] * weights[at] + goal * weight) / (weights[at] + weight);
	weights[at] += weight;
}

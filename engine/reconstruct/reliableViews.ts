import { bodyCameras } from "../mesh/bodyViews.ts";
import { depthRaster } from "../mesh/depthRaster.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { FourViews } from "./bodyDepths.ts";

/** Pixels, of 768 a side, beside a rim that are not trusted, and the slope over as many pixels that is a step and no surface (82 degrees). */
const [rimPixels, steepest] = [2, 7.5];

/**
 * The normal maps without what lies next to a rim, the silhouette's or one inside it: white there. Their colours are mixed with what lies
 * behind, and a surface that is a pixel off would take them from its neighbour.
 */
export function reliableViews(mesh: Mesh, views: FourViews, distances: readonly [Float32Array, Float32Array]): readonly Uint8Array[] {
	return views.map(({ size, normal }, view) => {
		const reach = Math.max(1, Math.round((rimPixels * size) / 768));
		const camera = bodyCameras[view];
		const { nearest } = depthRaster(mesh, camera, size);
		const distance = distances[camera.columnAxis];
		const kept = normal.slice();
		for (let pixel = 0; pixel < size * size; pixel++) {
			if (distance[pixel] > -reach || isBesideStep(nearest, pixel, size, reach)) kept.fill(255, pixel * 3, pixel * 3 + 3);
		}
		return kept;
	});
}

function isBesideStep(nearest: Float32Array, pixel: number, size: number, reach: number): boolean {
	const [row, column] = [Math.floor(pixel / size), pixel % size];
	const own = nearest[pixel];
	for (let step = -reach; step <= reach; step++) {
		for (const [y, x] of [
			[row + step, column],
			[row, column + step],
		]) {
			if (y < 0 || x < 0 || y >= size || x >= size) continue;
			if (Math.abs(nearest[y * size + x] - own) > (steepest * reach) / size) return true;
		}
	}
	return false;
}

import { bodyCameras } from "../mesh/bodyViews.ts";
import type { FourViews } from "./bodyDepths.ts";

/** Pixels, of 768 a side, beside the silhouette's rim that are not trusted. */
const rimPixels = 2;

/** The normal maps without what lies next to the silhouette's rim, white there: colours are mixed with the background's. */
export function reliableViews(views: FourViews, distances: readonly [Float32Array, Float32Array]): readonly Uint8Array[] {
	return views.map(({ size, normal }, view) => {
		const reach = Math.max(1, Math.round((rimPixels * size) / 768));
		const distance = distances[bodyCameras[view].columnAxis];
		const kept = normal.slice();
		for (let pixel = 0; pixel < size * size; pixel++) if (distance[pixel] > -reach) kept.fill(255, pixel * 3, pixel * 3 + 3);
		return kept;
	});
}

import { SyncHumanError } from "../error.ts";
import { type BodyView, isBodyPixel } from "./bodyViews.ts";
import type { BakeObservation } from "./textureSamples.ts";

/** A camera in the OpenGL convention. */
export interface ObservationCamera {
	/** World to camera, row-major 4 x 4. */
	readonly view: readonly number[];
	/** Camera to clip space, row-major 4 x 4. */
	readonly projection: readonly number[];
}

/** Views that stage 1 stores mirrored. */
const mirroredViews = [2, 3];

/**
 * What the bake sees in stage 1's views: front, right, back, left and, where given, the face on its canvas (engine/image/faceCanvas.ts).
 * Back and left are turned over left to right; a pixel counts where any channel of its normal is below 230. `cameras`: the orthographic cameras of
 * the bake in the same order (y turned over by the projection). Throws code "input" for another number of views or pictures of another size than
 * they say.
 */
export function bodyObservations(views: readonly BodyView[], cameras: readonly ObservationCamera[]): BakeObservation[] {
	if (views.length < 4 || views.length > 5 || cameras.length < views.length) {
		throw new SyncHumanError("input", `bodyObservations: must have 4 views, or 5 with the face, got ${views.length}`);
	}
	return views.map((view, index) => {
		const { width, height } = view;
		if (view.color.length !== width * height * 3 || view.normal.length !== width * height * 3) {
			throw new SyncHumanError(
				"input",
				`body view ${index}: colour and normal must be [${height}, ${width}, 3], got ${view.color.length} and ${view.normal.length} values`,
			);
		}
		const isMirrored = mirroredViews.includes(index);
		const color = new Uint8Array(width * height * 3);
		const mask = new Uint8Array(width * height);
		for (let row = 0; row < height; row++) {
			for (let column = 0; column < width; column++) {
				const to = row * width + column;
				const from = row * width + (isMirrored ? width - 1 - column : column);
				for (let c = 0; c < 3; c++) color[to * 3 + c] = view.color[from * 3 + c];
				mask[to] = isBodyPixel(view, from) ? 1 : 0;
			}
		}
		const { view: worldToCamera, projection } = cameras[index];
		return { width, height, color, mask, view: worldToCamera, projection, rowsRunWithRaster: true };
	});
}

/**
 * What the bake sees in a rendered picture: `color` [size, size, 3], row 0 at the top; a pixel counts where any channel is above 0. Upstream: the
 * renders of the Gaussians.
 */
export function renderedObservation(color: Uint8Array, size: number, { view, projection }: ObservationCamera): BakeObservation {
	const mask = new Uint8Array(size * size);
	for (let i = 0; i < color.length; i++) if (color[i] > 0) mask[Math.floor(i / 3)] = 1;
	return { width: size, height: size, color, mask, view, projection, rowsRunWithRaster: false };
}

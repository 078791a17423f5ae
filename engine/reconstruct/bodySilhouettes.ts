import { SyncHumanError } from "../error.ts";
import { isBodyPixel } from "../mesh/bodyViews.ts";
import type { FourViews } from "./bodyDepths.ts";
import { signedDistance } from "./signedDistance.ts";

const viewNames = ["front", "right", "back", "left"];

/**
 * The two silhouettes of four views, [size, size] signed distances in pixels, negative inside: of front and back, and of left and right. Opposite
 * views see one outline; where they differ, the middle counts. Throws code "input" where views are not of one size, where one of them shows
 * nobody, or where no height is seen by both pairs.
 */
export function bodySilhouettes(views: FourViews): readonly [Float32Array, Float32Array] {
	const { size } = views[0];
	const distances = views.map(({ size: own, normal }, view) => {
		if (own !== size || normal.length !== size * size * 3) {
			throw new SyncHumanError("input", `The ${viewNames[view]} normal map must be [${size}, ${size}, 3] as the front's is.`);
		}
		const mask = Uint8Array.from({ length: size * size }, (_, pixel) => (isBodyPixel({ normal }, pixel) ? 1 : 0));
		if (!mask.includes(1)) {
			throw new SyncHumanError(
				"input",
				`The ${viewNames[view]} view shows nobody: its normal map is background everywhere.`,
				"A normal map is white (230 or more in every channel) where there is no body, and only there.",
			);
		}
		return signedDistance(mask, size, size);
	});
	const middle = (a: number, b: number) => distances[a].map((value, i) => (value + distances[b][i]) / 2);
	const pairs = [middle(0, 2), middle(3, 1)] as const;
	const rows = pairs.map((distance) => Uint8Array.from({ length: size }, (_, row) => (hasInside(distance, row, size) ? 1 : 0)));
	if (!rows[0].some((value, row) => value === 1 && rows[1][row] === 1)) {
		throw new SyncHumanError(
			"input",
			"The views do not show one body: no height is in all four silhouettes.",
			"Give views of one run, in the order front, right, back, left.",
		);
	}
	return pairs;
}

function hasInside(distance: Float32Array, row: number, size: number): boolean {
	return distance.subarray(row * size, (row + 1) * size).some((value) => value < 0);
}

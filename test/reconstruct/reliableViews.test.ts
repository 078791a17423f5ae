import { expect, it } from "vitest";
import { isBodyPixel } from "../../engine/mesh/bodyViews.ts";
import { bodySilhouettes } from "../../engine/reconstruct/bodySilhouettes.ts";
import { reliableViews } from "../../engine/reconstruct/reliableViews.ts";
import { ellipsoidViews } from "../support/ellipsoidViews.ts";

it("leaves out pixels beside the silhouette", () => {
	const size = 96;
	const views = ellipsoidViews(size, [0.4, 0.4, 0.4]);
	const row = (normal: Uint8Array) => Array.from({ length: size }, (_, column) => isBodyPixel({ normal }, 48 * size + column));
	for (const [view, normal] of reliableViews(views, bodySilhouettes(views)).entries()) {
		const [before, of] = [row(views[view].normal), row(normal)];
		const first = before.indexOf(true);
		expect(of.indexOf(true)).toBe(first + 1);
		expect(of.lastIndexOf(true)).toBe(before.lastIndexOf(true) - 1);
		expect(of.slice(first + 1, size - first - 1).every(Boolean)).toBe(true);
	}
});

import { expect, it } from "vitest";
import { isBodyPixel } from "../../engine/mesh/bodyViews.ts";
import { bodySilhouettes } from "../../engine/reconstruct/bodySilhouettes.ts";
import { reliableViews } from "../../engine/reconstruct/reliableViews.ts";
import { ballMesh, joinMeshes } from "../support/ballMesh.ts";
import { ellipsoidViews } from "../support/ellipsoidViews.ts";

it("leaves out pixels beside the silhouette, and beside a step of depth inside it", () => {
	const size = 96;
	const views = ellipsoidViews(size, [0.4, 0.4, 0.4]);
	// A small ball before the front of the large one.
	const mesh = joinMeshes(ballMesh([0, 0, 0], 0.4, 24), ballMesh([0, -0.6, 0], 0.05, 12));
	const [front, right, back] = reliableViews(mesh, views, bodySilhouettes(views));
	const row = (normal: Uint8Array) => Array.from({ length: size }, (_, column) => isBodyPixel({ normal }, 48 * size + column));
	const [before, of] = [row(views[0].normal), row(back)];
	const first = before.indexOf(true);
	expect(of.indexOf(true)).toBeLessThanOrEqual(first + 2);
	expect(of.lastIndexOf(true)).toBeGreaterThanOrEqual(before.lastIndexOf(true) - 2);
	expect(of[first]).toBe(false);
	expect(of.slice(first + 4, size - first - 4).every(Boolean)).toBe(true);
	const seen = row(front);
	const rim = Math.round((0.5 - 0.05) * size - 0.5);
	expect(seen.slice(rim - 2, rim + 3)).toContain(false);
	expect(seen[48]).toBe(true);
	expect(row(right)[48]).toBe(true);
});

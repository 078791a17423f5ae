import { expect, it } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { bodyObservations, renderedObservation } from "../../engine/mesh/bodyObservations.ts";
import { type BodyView, bodyCameras } from "../../engine/mesh/bodyViews.ts";
import { clipPositions } from "../../engine/mesh/triangleRaster.ts";
import { bakeViews } from "../../engine/splat/cameras.ts";

const size = 32;
const point = [0.21, -0.17, 0.3] as const;

/** A view of stage 1 that shows one body pixel: where `point` lies. */
function viewOf(camera: (typeof bodyCameras)[number], color: number): BodyView & { pixel: number } {
	const column = Math.floor((point[camera.columnAxis] + 0.5) * size);
	const row = Math.floor((0.5 - point[2]) * size);
	const pixel = row * size + column;
	const view = {
		width: size,
		height: size,
		color: new Uint8Array(size * size * 3).fill(255),
		normal: new Uint8Array(size * size * 3).fill(230),
	};
	view.color[pixel * 3] = color;
	view.normal[pixel * 3 + 2] = 229;
	return { ...view, pixel };
}

it("shows a point of the body where the bake's camera projects it to", () => {
	const cameras = bakeViews(0);
	const observations = bodyObservations(
		bodyCameras.map((camera, i) => viewOf(camera, 10 + i)),
		cameras,
	);
	observations.forEach(({ mask, color, view, projection, rowsRunWithRaster }, index) => {
		expect(rowsRunWithRaster).toBe(true);
		const [x, y, , w] = clipPositions(Float32Array.from(point), view, projection);
		const [column, row] = [x, y].map((value) => Math.floor(((value / w + 1) / 2) * size));
		const marked = [...mask.keys()].filter((i) => mask[i] === 1);
		expect(marked).toEqual([row * size + column]);
		expect(color[marked[0] * 3]).toBe(10 + index);
	});
});

it("takes the face as a fifth view, unmirrored", () => {
	const views = [...bodyCameras, bodyCameras[0]].map((camera) => viewOf(camera, 1));
	const observations = bodyObservations(views, bakeViews(0));
	expect(observations[4].mask).toEqual(observations[0].mask);
	expect(observations[4].mask[views[4].pixel]).toBe(1);
});

it("refuses a missing view and a picture of another size", () => {
	const views = bodyCameras.map((camera) => viewOf(camera, 1));
	expect(() => bodyObservations(views.slice(1), bakeViews(0))).toThrow(SyncHumanError);
	expect(() => bodyObservations([...views.slice(0, 3), { ...views[3], width: 31 }], bakeViews(0))).toThrow("body view 3");
});

it("counts every pixel of a render that is not black", () => {
	const color = new Uint8Array(2 * 2 * 3);
	color[4] = 1;
	const observation = renderedObservation(color, 2, bakeViews(1)[5]);
	expect([...observation.mask]).toEqual([0, 1, 0, 0]);
	expect(observation.rowsRunWithRaster).toBe(false);
});

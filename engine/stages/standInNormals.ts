import { type Image, imageOf } from "../image/image.ts";
import { type BodyCamera, bodyCameras } from "../mesh/bodyViews.ts";
import { bodySdf } from "../random/bodyGeometry.ts";

/** Of the figure, where a view shows 1. */
const figureHeight = 0.92;
/** Nothing of the figure is farther from its middle, in its heights. */
const reach = 0.3;
const surface = 1e-4;

/**
 * Normal maps of the analytic figure that takes the place of the noise which random weights give: front, right, back, left, face, in stage 1's
 * frames and colours, on white; squares of `size` pixels.
 */
export function standInNormals(size: number): readonly Image[] {
	const [front] = bodyCameras;
	const body = bodyCameras.map((camera) => drawn(size, camera, 1));
	return [...body, drawn(size, front, 3)];
}

/** One view; enlarged, the middle of what lies under its upper edge. */
function drawn(size: number, camera: BodyCamera, enlarged: number): Image {
	const data = new Uint8Array(size * size * 3).fill(255);
	for (let row = 0; row < size; row++) {
		const z = 0.5 - (row + 0.5) / size / enlarged;
		for (let column = 0; column < size; column++) {
			const across = ((column + 0.5) / size - 0.5) / enlarged;
			if (Math.abs(across) > reach * figureHeight) continue;
			const hit = hitOf(camera, across / figureHeight, z / figureHeight);
			if (hit === undefined) continue;
			const [x, y, up] = normalAt(hit);
			data.set(
				[x, up, -y].map((value) => Math.round((value + 1) * 127.5)),
				(row * size + column) * 3,
			);
		}
	}
	return imageOf(size, size, 3, data);
}

type Point = readonly [number, number, number];

/** The nearest point of the figure that the camera sees there, in the figure's heights. */
function hitOf({ direction, columnAxis }: BodyCamera, across: number, z: number): Point | undefined {
	for (let depth = reach; depth > -reach; ) {
		const point: Point = columnAxis === 0 ? [across, direction[1] * depth, z] : [direction[0] * depth, across, z];
		const distance = bodySdf(...point);
		if (distance < surface) return point;
		depth -= distance;
	}
	return undefined;
}

function normalAt([x, y, z]: Point): Point {
	const step = 1e-3;
	const slope = [
		bodySdf(x + step, y, z) - bodySdf(x - step, y, z),
		bodySdf(x, y + step, z) - bodySdf(x, y - step, z),
		bodySdf(x, y, z + step) - bodySdf(x, y, z - step),
	];
	const length = Math.hypot(...slope);
	return [slope[0] / length, slope[1] / length, slope[2] / length];
}

import { SyncHumanError } from "../error.ts";

/** One of the four body views of stage 1: orthographic, showing [-0.5, 0.5]^2. */
export interface BodyView {
	/** Pixels. */
	readonly width: number;
	readonly height: number;
	/** [height, width, 3] sRGB, 0..255. */
	readonly color: Uint8Array;
	/** [height, width, 3] normal map, 0..255, on white: a pixel shows the body where any channel is below 230. */
	readonly normal: Uint8Array;
}

/** Where a body view stands and how its columns run. Rows run down with z: v = 0.5 - z for all of them. */
export interface BodyCamera {
	/** Unit vector from the body to the camera (z up, the person faces -y). */
	readonly direction: readonly [number, number, number];
	/** World axis along the columns: u = 0.5 + position[axis]. Stage 1 stores views 2 and 3 mirrored, so none runs backwards. */
	readonly columnAxis: 0 | 1;
}

/** Front (-y), right (+x), back (+y), left (-x): stage 1's views 0 to 3. reference/stage2/ARCHITECTURE.md sections 3, 6 and 11. */
export const bodyCameras: readonly BodyCamera[] = [
	{ direction: [0, -1, 0], columnAxis: 0 },
	{ direction: [1, 0, 0], columnAxis: 1 },
	{ direction: [0, 1, 0], columnAxis: 0 },
	{ direction: [-1, 0, 0], columnAxis: 1 },
];

/** First value of a normal map that counts as white background. */
const backgroundLevel = 230;

/** Whether a view shows the body at a pixel (row * width + column). */
export function isBodyPixel({ normal }: Pick<BodyView, "normal">, pixel: number): boolean {
	const at = pixel * 3;
	return normal[at] < backgroundLevel || normal[at + 1] < backgroundLevel || normal[at + 2] < backgroundLevel;
}

/** Throws code "input" unless there are four views whose pictures have the sizes they say. */
export function checkBodyViews(views: readonly BodyView[]): void {
	if (views.length !== bodyCameras.length)
		throw new SyncHumanError("input", `body views: must be ${bodyCameras.length}, got ${views.length}`);
	views.forEach(({ width, height, color, normal }, index) => {
		if (color.length !== width * height * 3 || normal.length !== width * height * 3 || width < 1 || height < 1) {
			throw new SyncHumanError(
				"input",
				`body view ${index}: colour and normal must be [${height}, ${width}, 3], got ${color.length} and ${normal.length} values`,
			);
		}
	});
}

/**
 * Bilinear colour at (u, v) in 0..1 from the left and the top, taken from body pixels only. Writes r, g, b (0..1, sRGB) into `result` and
 * returns how much of the four pixels' weight is body, 0..1.
 */
export function sampleBodyView({ width, height, color, normal }: BodyView, u: number, v: number, result: Float64Array): number {
	const x = u * width - 0.5;
	const y = v * height - 0.5;
	const [left, top] = [Math.floor(x), Math.floor(y)];
	let coverage = 0;
	result.fill(0);
	for (let corner = 0; corner < 4; corner++) {
		const [dx, dy] = [corner & 1, corner >> 1];
		const weight = (dx === 1 ? x - left : left + 1 - x) * (dy === 1 ? y - top : top + 1 - y);
		const column = Math.min(Math.max(left + dx, 0), width - 1);
		const row = Math.min(Math.max(top + dy, 0), height - 1);
		const pixel = (row * width + column) * 3;
		if (!isBodyPixel({ normal }, row * width + column)) continue;
		coverage += weight;
		for (let k = 0; k < 3; k++) result[k] += (weight * color[pixel + k]) / 255;
	}
	if (coverage > 0) for (let k = 0; k < 3; k++) result[k] /= coverage;
	return coverage;
}

import { crop } from "../image/crop.ts";
import { alphaBox } from "../image/foreground.ts";
import { type Image, imageOf } from "../image/image.ts";
import { pillowResize } from "../image/pillowResize.ts";
import { middleColumns, overBackground, pictureRow } from "../image/sheet.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { drawnSurface, figureFrame, figurePictures, figurePicturesBytes, sideNames, sideView } from "./figurePictures.ts";
import { type Part, type PartContext, planStage, runPart, stopIfAborted } from "./part.ts";
import type { MeshTexture } from "./results.ts";

/** A surface as a run leaves it. */
export interface PreviewedSurface {
	readonly mesh: Mesh;
	readonly texture?: MeshTexture | undefined;
}

/** Pixels of the sheet's height. */
const sheetHeight = 512;
/** Pixels between its pictures. */
const gap = 12;
const white = [255, 255, 255] as const;

/**
 * A sheet of what was made: the input, where there is one, then front, right, back and left of the surface as cameras there see them (back and
 * left are not turned over), in its colours, on white. Runs as the part "preview". Throws code "memory" where the GPU has no room for it.
 */
export async function previewSheet(context: PartContext, surface: PreviewedSurface, input?: Image, height = sheetHeight): Promise<Image> {
	const { device, maxMemory } = context;
	const drawn = drawnSurface(surface);
	const figure = { meshes: [drawn] };
	const part: Part = { name: "preview", weights: [], graphs: [], extraBytes: figurePicturesBytes(device, { figure, size: height }) };
	await planStage(context, "preview", [part]);
	return runPart(context, part, async (_, report) => {
		const { reach, half } = figureFrame(figure);
		const width = Math.min(height, Math.ceil((reach / half) * height) + gap);
		const shading = surface.texture === undefined && surface.mesh.colors === undefined ? "lit" : "color";
		const pictures = input === undefined ? [] : [inputPicture(input, height)];
		const views = sideNames.map((name) => sideView(name));
		for await (const picture of figurePictures(device, { figure, views, size: height, shading, maxMemory })) {
			stopIfAborted(context);
			pictures.push(middleColumns(overBackground(picture, white), width));
			report(pictures.length, views.length + 1);
		}
		return pictureRow(pictures, gap);
	});
}

/** The input at the sheet's height, only the columns that show something. */
function inputPicture(input: Image, height: number): Image {
	const box = input.channels === 4 ? alphaBox(input, 0) : undefined;
	const scale = height / input.height;
	const resized = pillowResize(input, Math.max(1, Math.round(input.width * scale)), height);
	const flat = resized.channels === 4 ? overBackground(resized, white) : imageOf(resized.width, height, 3, resized.data);
	if (box === undefined) return flat;
	const middle = ((box[0] + box[2]) / 2) * scale;
	const reach = Math.min(flat.width / 2, ((box[2] - box[0]) / 2) * scale + gap);
	const left = Math.round(Math.min(Math.max(0, middle - reach), flat.width - 2 * reach));
	return crop(flat, [left, 0, left + Math.floor(2 * reach), height]);
}

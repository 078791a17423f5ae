import { join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import { dropAlpha, type Image } from "../engine/image/image.ts";
import type { StageOneResult } from "../engine/stages/results.ts";
import { readBytes } from "./files.ts";
import { decodePicture, encodePng } from "./imageFile.ts";

const missing = "A folder of views holds color_0..4.png and normal_0..4.png: front, right, back, left, face.";

/**
 * Reads color_0..4.png and normal_0..4.png, which are squares of one size; alpha is dropped. Throws code "input", naming the file that
 * is missing or does not fit.
 */
export async function readViews(folder: string): Promise<Pick<StageOneResult, "colors" | "normals">> {
	let size: number | undefined;
	const picture = async (name: string): Promise<Image> => {
		const path = join(folder, name);
		const image = dropAlpha(await decodePicture(await readBytes(path, missing), path));
		const { width, height } = image;
		size ??= width;
		if (width !== size || height !== size) {
			throw new SyncHumanError(
				"input",
				`${path}: has ${width} x ${height} pixels; all views must be squares of one size${name === "color_0.png" ? "" : `, ${size} x ${size}`}.`,
				"Give views of one run.",
			);
		}
		return image;
	};
	const colors: Image[] = [];
	const normals: Image[] = [];
	for (const view of [0, 1, 2, 3, 4]) {
		colors.push(await picture(`color_${view}.png`));
		normals.push(await picture(`normal_${view}.png`));
	}
	return { colors, normals };
}

/** The files of such a folder: color_0.png, normal_0.png, color_1.png, ... */
export async function viewFiles({
	colors,
	normals,
}: Pick<StageOneResult, "colors" | "normals">): Promise<[name: string, content: Uint8Array][]> {
	const files: [string, Uint8Array][] = [];
	for (const [view, color] of colors.entries()) {
		files.push([`color_${view}.png`, await encodePng(color)]);
		files.push([`normal_${view}.png`, await encodePng(normals[view])]);
	}
	return files;
}

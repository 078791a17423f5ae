import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import { type PshumanPictures, pshumanViewNames } from "../engine/image/pshumanViews.ts";
import { maskedView } from "../engine/stages/maskedView.ts";
import { encodePng } from "./imageFile.ts";
import type { PshumanArguments } from "./pshumanArguments.ts";
import { viewFiles } from "./viewsFolder.ts";

/** A picture, and what its results are called. */
export interface NamedPicture {
	readonly path: string;
	/** The file's name up to its first dot, as upstream. */
	readonly stem: string;
}

/** The pictures that were named, those of a folder by their names. Throws code "input" where there are none, or two of one stem. */
export async function findPictures(places: readonly string[]): Promise<readonly NamedPicture[]> {
	const paths: string[] = [];
	for (const place of places) {
		const found = await stat(place).catch(() => undefined);
		if (!found?.isDirectory()) {
			paths.push(place);
			continue;
		}
		const inside = (await readdir(place)).filter((name) => /\.(png|jpe?g|webp)$/i.test(name)).sort();
		if (inside.length === 0) throw new SyncHumanError("input", `${place}: holds no picture.`, "Give a folder of PNG, JPEG or WebP files.");
		paths.push(...inside.map((name) => join(place, name)));
	}
	const pictures = paths.map((path) => ({ path, stem: basename(path).replace(/(?<=.)\..*$/, "") }));
	for (const [index, { path, stem }] of pictures.entries()) {
		const other = pictures.findIndex((one) => one.stem.toLowerCase() === stem.toLowerCase());
		if (other < index)
			throw new SyncHumanError("input", `${path}: would be written where ${pictures[other].path} is.`, "Rename one of them.");
	}
	return pictures;
}

/** The folder of upstream's concat pictures. */
export function stripFolder({ cropSize, guidance, seed }: PshumanArguments): string {
	return `cropsize-${cropSize}-cfg${guidance.toFixed(1)}-seed${seed}-smpl-False`;
}

/** color_front_face_masked.png, normal_front_face_masked.png, ...: six views, back and left as cameras there see them. */
export async function maskedViewFiles({ colors, normals }: PshumanPictures): Promise<[name: string, content: Uint8Array][]> {
	const files: [string, Uint8Array][] = [];
	for (const [view, name] of pshumanViewNames.entries()) {
		files.push([`color_${name}_masked.png`, await encodePng(maskedView(colors[view], normals[view]))]);
		files.push([`normal_${name}_masked.png`, await encodePng(maskedView(normals[view], normals[view]))]);
	}
	return files;
}

/** All views of a picture by the folder they go into: upstream's names, its strip, and what `synchuman reconstruct` reads. */
export async function pshumanFolders(
	output: string,
	{ stem }: NamedPicture,
	pictures: PshumanPictures,
	options: PshumanArguments,
): Promise<readonly (readonly [folder: string, files: [name: string, content: Uint8Array][]])[]> {
	return [
		...(options.saveMode === "rgb" ? [[join(output, stem), await maskedViewFiles(pictures)] as const] : []),
		[join(output, stripFolder(options)), [[`${stem}.png`, await encodePng(pictures.strip)]]],
		[join(output, stem, "views"), await viewFiles(pictures.unmirrored)],
	];
}

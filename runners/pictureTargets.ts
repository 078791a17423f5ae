import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";

/** A picture, and the folder of its results. */
export interface PictureTarget {
	/** Undefined where a run has no picture of its own (stage 2 alone). */
	readonly picture: string | undefined;
	readonly output: string;
}

const endings = [".png", ".jpg", ".jpeg", ".webp"] as const;

/**
 * The pictures that `operands` (files, and folders of PNG, JPEG and WebP files) name, in their order, and where each one's results go: `output`
 * itself for a single file, otherwise a folder in it that is named after the picture, with its ending where two differ in that alone. Throws
 * code "input" for a folder without pictures and for two pictures of one name.
 */
export async function pictureTargets(operands: readonly string[], output: string): Promise<readonly PictureTarget[]> {
	const pictures: string[] = [];
	let folders = 0;
	for (const operand of operands) {
		// What is not there is the picture's own error, when its turn comes.
		const found = await stat(operand).catch(() => undefined);
		if (!found?.isDirectory()) {
			pictures.push(operand);
			continue;
		}
		folders++;
		const inside = (await readdir(operand)).filter((name) => endings.some((ending) => name.toLowerCase().endsWith(ending))).sort();
		if (inside.length === 0)
			throw new SyncHumanError("input", `${operand}: has no PNG, JPEG or WebP file.`, "Give a picture, or a folder of pictures.");
		pictures.push(...inside.map((name) => join(operand, name)));
	}
	if (pictures.length === 1 && folders === 0) return [{ picture: pictures[0], output }];
	const plain = pictures.map((picture) => basename(picture, extname(picture)));
	const names = pictures.map((picture, i) => (plain.filter((name) => name === plain[i]).length > 1 ? basename(picture) : plain[i]));
	const twice = names.find((name, i) => names.indexOf(name) !== i);
	if (twice !== undefined) throw new SyncHumanError("input", `Two pictures are called ${twice}.`, "Rename one of them, or run them apart.");
	return pictures.map((picture, i) => ({ picture, output: join(output, names[i]) }));
}

import { basename, join } from "node:path";
import { type PshumanPictures, pshumanViewNames } from "../engine/image/pshumanViews.ts";
import type { BodyViews } from "../engine/stages/maskedView.ts";
import { encodePng } from "./imageFile.ts";
import type { PictureTarget } from "./pictureTargets.ts";
import type { PshumanArguments } from "./pshumanArguments.ts";
import { viewFiles } from "./viewsFolder.ts";

/** What upstream calls a picture's strip: the picture's name up to its first dot; of one of several the name of its folder. */
export function stripName({ picture = "", output }: PictureTarget, several: boolean): string {
	return several ? basename(output) : basename(picture).replace(/(?<=.)\..*$/, "");
}

/** The folder of upstream's concat pictures. */
function stripFolder({ cropSize, guidance, seed }: PshumanArguments): string {
	return `cropsize-${cropSize}-cfg${guidance.toFixed(1)}-seed${seed}-smpl-False`;
}

/** color_front_face_masked.png, normal_front_face_masked.png, ...: six views cut out, back and left as cameras there see them. */
async function maskedViewFiles({ colors, normals }: BodyViews): Promise<[name: string, content: Uint8Array][]> {
	const files: [string, Uint8Array][] = [];
	for (const [view, name] of pshumanViewNames.entries()) {
		files.push([`color_${name}_masked.png`, await encodePng(colors[view])]);
		files.push([`normal_${name}_masked.png`, await encodePng(normals[view])]);
	}
	return files;
}

/** All views of a picture by the folder they go into: those cut out under upstream's names, its strip, and what `synchuman reconstruct` reads. */
export async function pshumanFolders(
	folder: string,
	pictures: Pick<PshumanPictures, "strip" | "unmirrored">,
	masked: BodyViews | undefined,
	options: PshumanArguments,
	strip: string,
): Promise<readonly (readonly [folder: string, files: [name: string, content: Uint8Array][]])[]> {
	return [
		...(masked === undefined ? [] : [[folder, await maskedViewFiles(masked)] as const]),
		[join(options.output, stripFolder(options)), [[`${strip}.png`, await encodePng(pictures.strip)]]],
		[join(folder, "views"), await viewFiles(pictures.unmirrored)],
	];
}

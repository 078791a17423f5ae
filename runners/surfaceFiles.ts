import { writeGlb } from "../engine/mesh/glb.ts";
import type { Mesh } from "../engine/mesh/mesh.ts";
import type { MeshTexture } from "../engine/stages/results.ts";
import type { FinishArguments } from "./finishArguments.ts";
import { encodePng } from "./imageFile.ts";

/** A surface, with a picture on it or colours of its own. */
export interface Surface {
	readonly mesh: Mesh;
	readonly texture?: MeshTexture | undefined;
}

/**
 * The files of a surface as they were asked for, by name: output.glb, in which `extras` (seed, weights) stand. Throws code "input" where the
 * surface is empty.
 */
export async function surfaceFiles(
	{ mesh, texture: picture }: Surface,
	_options: FinishArguments,
	extras: Readonly<Record<string, unknown>>,
): Promise<[name: string, content: Uint8Array][]> {
	const texture = picture && { ...picture, png: await encodePng(picture.picture) };
	return [["output.glb", await writeGlb(mesh, { extras, texture })]];
}

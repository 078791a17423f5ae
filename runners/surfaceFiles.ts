import { writeGlb } from "../engine/mesh/glb.ts";
import type { Mesh } from "../engine/mesh/mesh.ts";
import { writeMeshPly } from "../engine/mesh/meshPly.ts";
import { writeObj } from "../engine/mesh/obj.ts";
import { vertexNormals } from "../engine/mesh/vertexNormals.ts";
import type { MeshTexture } from "../engine/stages/results.ts";
import type { FinishArguments } from "./finishArguments.ts";
import { encodePng, encodeWebp } from "./imageFile.ts";

/** A surface, with a picture on it or colours of its own. */
export interface Surface {
	readonly mesh: Mesh;
	readonly texture?: MeshTexture | undefined;
}

/** How a surface is written; FinishArguments says what each choice means. By default a GLB with PNG pictures, lit, in the networks' unit. */
export type SurfaceOptions = Partial<Pick<FinishArguments, "textureFormat" | "unlit" | "compress" | "height" | "meshFormats">>;

/** Names of the files of a surface. */
const names = Object.freeze({
	glb: "output.glb",
	obj: "output.obj",
	material: "output.mtl",
	picture: "output_texture.png",
	ply: "output_mesh.ply",
});

/**
 * The files of a surface as they were asked for, by name: output.glb, in which `extras` (seed, weights) stand, and other formats. Throws code
 * "input" where the surface is empty.
 */
export async function surfaceFiles(
	{ mesh, texture }: Surface,
	{ textureFormat = "png", unlit = false, compress = false, height, meshFormats = [] }: SurfaceOptions = {},
	extras: Readonly<Record<string, unknown>> = {},
): Promise<[name: string, content: Uint8Array][]> {
	const encode = textureFormat === "webp" ? encodeWebp : encodePng;
	const scale = height === undefined ? 1 : height / extentUp(mesh);
	const map = texture?.normalMap;
	const glb = await writeGlb(mesh, {
		extras: { ...extras, ...(height !== undefined && { heightMetres: height }) },
		unlit,
		compress,
		scale,
		texture: texture && {
			file: await encode(texture.picture),
			uvs: texture.uvs,
			normals: texture.normals,
			normalMap: map && { file: await encode(map.picture), tangents: map.tangents },
		},
	});
	const files: [string, Uint8Array][] = [[names.glb, glb]];
	const normals = texture?.normals ?? vertexNormals(mesh);
	if (meshFormats.includes("obj")) {
		const { obj, material } = writeObj(mesh, {
			scale,
			normals,
			texture: texture && { uvs: texture.uvs, material: names.material, picture: names.picture },
		});
		files.push([names.obj, obj]);
		if (material !== undefined && texture !== undefined)
			files.push([names.material, material], [names.picture, await encodePng(texture.picture)]);
	}
	if (meshFormats.includes("ply")) {
		files.push([names.ply, writeMeshPly(mesh, normals, texture && { ...texture.picture, uvs: texture.uvs }, scale)]);
	}
	return files;
}

/** From the lowest to the highest point; 1 where there is no height to measure. */
function extentUp({ positions }: Mesh): number {
	let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
	for (let i = 2; i < positions.length; i += 3) {
		low = Math.min(low, positions[i]);
		high = Math.max(high, positions[i]);
	}
	return high > low ? high - low : 1;
}

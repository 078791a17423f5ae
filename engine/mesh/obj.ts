import { yUp } from "./glb.ts";
import type { Mesh } from "./mesh.ts";

/** How `writeObj` writes a mesh. */
export interface ObjOptions {
	/** Factor of all positions. */
	readonly scale?: number | undefined;
	/** [v, 3] unit normals. */
	readonly normals?: Float32Array | undefined;
	/** [v, 2] v runs up; with the names of the material file and, in it, of the picture. */
	readonly texture?: { readonly uvs: Float32Array; readonly material: string; readonly picture: string } | undefined;
}

/**
 * A Wavefront OBJ, y up and facing +z like the GLB, and its material file where there is a texture. Vertex colours follow the positions, as
 * many programs read them.
 */
export function writeObj(
	mesh: Mesh,
	{ scale = 1, normals, texture }: ObjOptions,
): { readonly obj: Uint8Array; readonly material?: Uint8Array } {
	const lines = ["# synchuman-webgpu"];
	if (texture !== undefined) lines.push(`mtllib ${texture.material}`, "usemtl body");
	const rows = (word: string, values: Float32Array, width: number, after?: Float32Array) => {
		for (let i = 0; i < values.length; i += width) {
			const row = [...values.subarray(i, i + width), ...(after?.subarray(i, i + width) ?? [])];
			lines.push(`${word} ${row.map((value) => Number(value.toFixed(6))).join(" ")}`);
		}
	};
	rows("v", yUp(mesh.positions.map((value) => value * scale)), 3, texture === undefined ? mesh.colors : undefined);
	if (texture !== undefined) rows("vt", texture.uvs, 2);
	if (normals !== undefined) rows("vn", yUp(normals), 3);
	const corner = (vertex: number) => {
		const name = vertex + 1;
		if (texture !== undefined) return normals === undefined ? `${name}/${name}` : `${name}/${name}/${name}`;
		return normals === undefined ? `${name}` : `${name}//${name}`;
	};
	const { faces } = mesh;
	for (let i = 0; i < faces.length; i += 3) lines.push(`f ${corner(faces[i])} ${corner(faces[i + 1])} ${corner(faces[i + 2])}`);
	const encode = (text: readonly string[]) => new TextEncoder().encode(`${text.join("\n")}\n`);
	if (texture === undefined) return { obj: encode(lines) };
	return {
		obj: encode(lines),
		material: encode(["newmtl body", "Ka 0 0 0", "Kd 1 1 1", "Ks 0 0 0", "illum 1", `map_Kd ${texture.picture}`]),
	};
}

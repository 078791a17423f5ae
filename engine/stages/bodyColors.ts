import type { Mesh } from "../mesh/mesh.ts";
import { vertexColors } from "../mesh/vertexColors.ts";
import { vertexNormals } from "../mesh/vertexNormals.ts";
import type { StageOneResult } from "./results.ts";

/** Body views that colour a surface; the face view is not among them. */
const bodyViews = 4;

/** [v, 3] sRGB colours, 0..1, of a surface's vertices from the four body views. */
export function bodyColors(mesh: Mesh, { colors, normals }: Pick<StageOneResult, "colors" | "normals">): Float32Array {
	const views = colors
		.slice(0, bodyViews)
		.map(({ width, height, data }, view) => ({ width, height, color: data, normal: normals[view].data }));
	return vertexColors(mesh, vertexNormals(mesh), views);
}

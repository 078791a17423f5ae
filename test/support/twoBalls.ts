import { bodyCameras } from "../../engine/mesh/bodyViews.ts";
import type { Mesh } from "../../engine/mesh/mesh.ts";
import { vertexNormals } from "../../engine/mesh/vertexNormals.ts";
import { type NormalRaster, normalRaster } from "../../engine/reconstruct/normalRaster.ts";
import { uvSphere } from "./uvSphere.ts";

/** A ball of radius 0.35 at (0, 0.1, 0), and before it, seen from the front, one of 0.1 at (moved, -0.35, 0). */
export function twoBalls(moved: number): Mesh {
	const [large, small] = [uvSphere(48, 24, 1), uvSphere(32, 16, 1)];
	const place = (points: Float32Array, radius: number, centre: readonly number[]) =>
		points.map((value, i) => value * radius + centre[i % 3]);
	const positions = Float32Array.from([...place(large.positions, 0.35, [0, 0.1, 0]), ...place(small.positions, 0.1, [moved, -0.35, 0])]);
	const first = large.positions.length / 3;
	return { positions, faces: Uint32Array.from([...large.faces, ...small.faces.map((vertex) => vertex + first)]) };
}

/** What body camera `view` sees of a mesh, `size` pixels a side. */
export function drawnNormals(mesh: Mesh, view: number, size: number): NormalRaster {
	return normalRaster(mesh, vertexNormals(mesh), bodyCameras[view], size);
}

/** A raster as a normal map. */
export function normalMapOf({ normals, nearest, size }: NormalRaster) {
	const normal = new Uint8Array(size * size * 3).fill(255);
	for (let pixel = 0; pixel < size * size; pixel++) {
		if (nearest[pixel] === Number.NEGATIVE_INFINITY) continue;
		const [x, y, z] = normals.subarray(pixel * 3, pixel * 3 + 3);
		normal.set(
			[x, z, -y].map((value) => Math.round((value + 1) * 127.5)),
			pixel * 3,
		);
	}
	return { size, normal };
}

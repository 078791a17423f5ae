import type { BodyCamera } from "../mesh/bodyViews.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { interpolateUvs, rasterizeFaces } from "../mesh/triangleRaster.ts";

/** What a body camera sees of a surface. */
export interface NormalRaster {
	/** Pixels per side over [-0.5, 0.5]; row 0 is z = 0.5. */
	readonly size: number;
	/** [size, size, 3] the surface's normals, world axes; zero where nothing is. */
	readonly normals: Float32Array;
	/** [size, size] position . direction, -Infinity where nothing is. */
	readonly nearest: Float32Array;
}

/** Draws a mesh's normals [v, 3] for one camera, at the pixels' centres. */
export function normalRaster({ positions, faces }: Mesh, vertexNormals: Float32Array, camera: BodyCamera, size: number): NormalRaster {
	const { direction, columnAxis } = camera;
	const count = positions.length / 3;
	const clip = new Float32Array(count * 4);
	const [xz, yd] = [new Float32Array(count * 2), new Float32Array(count * 2)];
	for (let i = 0; i < count; i++) {
		const [x, y, z] = [positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]];
		const depth = x * direction[0] + y * direction[1];
		clip.set([(columnAxis === 0 ? x : y) * 2, -z * 2, -depth, 1], i * 4);
		xz.set([vertexNormals[i * 3], vertexNormals[i * 3 + 2]], i * 2);
		yd.set([vertexNormals[i * 3 + 1], depth], i * 2);
	}
	const raster = rasterizeFaces(clip, faces, size, size);
	const normals = new Float32Array(size * size * 3);
	const nearest = new Float32Array(size * size).fill(Number.NEGATIVE_INFINITY);
	interpolateUvs(raster, clip, faces, xz, undefined, (pixel, x, z) => {
		normals[pixel * 3] = x;
		normals[pixel * 3 + 2] = z;
	});
	interpolateUvs(raster, clip, faces, yd, undefined, (pixel, y, depth) => {
		normals[pixel * 3 + 1] = y;
		nearest[pixel] = depth;
	});
	for (let i = 0; i < normals.length; i += 3) {
		const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]);
		if (length > 0) for (let k = 0; k < 3; k++) normals[i + k] /= length;
	}
	return { size, normals, nearest };
}

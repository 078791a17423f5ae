import type { Image } from "../image/image.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RepairReport } from "../mesh/repair.ts";
import type { GaussianCloud } from "../splat/gaussianCloud.ts";

/** What stage 1 gives stage 2 (and what a stage1/ folder holds). */
export interface StageOneResult {
	/** The picture as it was read: RGBA. */
	readonly input: Image;
	/** RGB pictures of views front, right, back, left, face; square, of one size (768). */
	readonly colors: readonly Image[];
	readonly normals: readonly Image[];
	/** Occupied voxels of the 64^3 structure, rows (0, x, y, z) in lexicographic order: [n, 4]. */
	readonly coordinates: Int32Array;
}

/** A picture on a mesh, and where its vertices lie in it. */
export interface MeshTexture {
	/** RGB, square, row 0 at v = 1. */
	readonly picture: Image;
	/** [v, 2] in 0..1; v runs up. */
	readonly uvs: Float32Array;
	/** [v, 3] unit normals, the same on both sides of a seam between charts. */
	readonly normals: Float32Array;
	/** The normals of stage 1's views in tangent space, where they were asked for. */
	readonly normalMap?: NormalMap | undefined;
}

/** A picture of normals on a textured mesh. */
export interface NormalMap {
	/** RGB 0.5 + 0.5 n, as glTF wants them; row 0 at v = 1. */
	readonly picture: Image;
	/** [v, 4] tangents and signs it is meant with, z up. */
	readonly tangents: Float32Array;
}

/** What stage 2 gives. */
export interface StageTwoResult {
	/**
	 * With a texture the finished surface, otherwise FlexiCubes' with colours sampled from the views; box [-0.5, 0.5]^3, z up, facing
	 * -y.
	 */
	readonly mesh: Mesh;
	/** The picture on the finished surface. */
	readonly texture?: MeshTexture | undefined;
	/** What was cut away and closed; undefined without a texture. */
	readonly repair?: RepairReport | undefined;
	/** Gaussians of the splat decoder, 32 a voxel. */
	readonly gaussians: GaussianCloud;
	/** True where the geometry is the analytic figure that stands in for the noise of synthetic weights. */
	readonly syntheticGeometry: boolean;
}

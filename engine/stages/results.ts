import type { Image } from "../image/image.ts";
import type { Mesh } from "../mesh/mesh.ts";
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

/** What stage 2 gives. */
export interface StageTwoResult {
	/** FlexiCubes surface with colours sampled from the views; box [-0.5, 0.5]^3, z up, facing -y. */
	readonly mesh: Mesh;
	/** Gaussians of the splat decoder, 32 a voxel. */
	readonly gaussians: GaussianCloud;
	/** True where the geometry is the analytic figure that stands in for the noise of synthetic weights. */
	readonly syntheticGeometry: boolean;
}

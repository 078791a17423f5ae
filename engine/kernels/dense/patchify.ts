import { type DType, describe, type Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { permute } from "./permute.ts";

/**
 * Cubes of patch^3 voxels become channels: [b, x, y, z, c] to [b, x / patch, y / patch, z / patch, c * patch^3], channel
 * c * patch^3 + (i * patch + j) * patch + k holds sub-voxel (i, j, k). Upstream: modules/spatial.py patchify. Throws where an extent is
 * no multiple of patch.
 */
export function patchify(graph: Graph, x: Tensor, patch: number, outputDtype: DType = x.dtype): Tensor {
	const [batch, ...rest] = x.shape;
	const extents = rest.slice(0, 3);
	if (x.shape.length !== 5 || extents.some((extent) => extent % patch !== 0)) {
		throw new Error(
			`${graph.path}/patchify: x must be [batch, x, y, z, channels] with extents that are multiples of ${patch}, got ${describe(x)}`,
		);
	}
	const [width, height, depth] = extents.map((extent) => extent / patch);
	const channels = x.shape[4];
	const view = [batch, width, patch, height, patch, depth, patch, channels];
	const y = permute(graph, { label: "patchify", x, view, axes: [0, 1, 3, 5, 7, 2, 4, 6], outputDtype });
	return { ...y, shape: [batch, width, height, depth, channels * patch ** 3] };
}

/**
 * The reverse of `patchify`: [b, x, y, z, c * patch^3] to [b, x * patch, y * patch, z * patch, c]. Upstream: unpatchify. Throws where
 * the channels are no multiple of patch^3.
 */
export function unpatchify(graph: Graph, x: Tensor, patch: number, outputDtype: DType = x.dtype, label = "unpatchify"): Tensor {
	const [batch, width, height, depth, stacked] = x.shape;
	const channels = stacked / patch ** 3;
	if (x.shape.length !== 5 || !Number.isInteger(channels)) {
		throw new Error(
			`${graph.path}/${label}: x must be [batch, x, y, z, channels] with channels a multiple of ${patch ** 3}, got ${describe(x)}`,
		);
	}
	const view = [batch, width, height, depth, channels, patch, patch, patch];
	const y = permute(graph, { label, x, view, axes: [0, 1, 5, 2, 6, 3, 7, 4], outputDtype });
	return { ...y, shape: [batch, width * patch, height * patch, depth * patch, channels] };
}

/** Channel c * 8 + (i * 4 + j * 2 + k) moves to sub-voxel (i, j, k): [b, x, y, z, 8 c] to [b, 2x, 2y, 2z, c]. Upstream: pixel_shuffle_3d. */
export function pixelShuffle3d(graph: Graph, x: Tensor, outputDtype: DType = x.dtype): Tensor {
	return unpatchify(graph, x, 2, outputDtype, "pixelShuffle3d");
}

import { describe, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { gaussianHeadChannels } from "./gaussianParameters.ts";

/** Pixels along a side of a tile. */
export const tileSide = 16;

/** What is known of every Gaussian in a picture. */
export interface ProjectedGaussians {
	/** f32 [n, 12]: x, y (pixels), depth, opacity | inverse covariance xx, xy, yy (1 / pixels^2), radius (pixels, 0 where culled) | r, g, b, 0. */
	readonly projected: Tensor;
	/** u32 [n, 4] first and past-the-last tile x0, y0, x1, y1. */
	readonly rectangles: Tensor;
	/** u32 [n] tiles that it is drawn in. */
	readonly tileCounts: Tensor;
	/** u32 [n] bits of the depth, which order as the depths do; all ones where it is not drawn. */
	readonly depthKeys: Tensor;
}

/** What `projectGaussians` needs. */
export interface ProjectGaussiansRequest {
	/** f32 [n, 14] as `gaussianParameters` activates them. */
	readonly gaussians: Tensor;
	/** f32 [16]: rows of the world-to-camera matrix 3 x 4 (x right, y down, z forward), then fx, fy, cx, cy in sides of the picture. */
	readonly camera: Tensor;
	/** Pixels. */
	readonly width: number;
	readonly height: number;
	/** Added to the diagonal of the covariance in the picture, pixels^2. */
	readonly kernelSize: number;
	/** Where results that outlive the graph go: tensors of the shapes above. */
	readonly into?: { readonly projected: Tensor; readonly rectangles: Tensor };
}

/** Records the projection of Gaussians onto a picture (reference/stage2/ARCHITECTURE.md section 9). All in one binding each. */
export function projectGaussians(graph: Graph, request: ProjectGaussiansRequest): ProjectedGaussians {
	const { gaussians, camera, width, height, kernelSize, into } = request;
	const [count, channels] = gaussians.shape;
	if (channels !== gaussianHeadChannels || camera.shape[0] !== 16) {
		throw new Error(
			`${graph.path}/projectGaussians: must be [n, ${gaussianHeadChannels}] and [16], got ${describe(gaussians)} and ${describe(camera)}`,
		);
	}
	const result = {
		projected: into?.projected ?? graph.tensor("projected Gaussians", "f32", [count, 12]),
		rectangles: into?.rectangles ?? graph.tensor("tile rectangles", "u32", [count, 4]),
		tileCounts: graph.tensor("tile counts", "u32", [count]),
		depthKeys: graph.tensor("depth keys", "u32", [count]),
	};
	graph.dispatch({
		shader: "splat/projectGaussians",
		tensors: { gaussians, camera, ...result },
		params: { count, width, height, kernelSize },
		workgroups: foldedWorkgroups(Math.ceil(count / 64)),
	});
	return result;
}

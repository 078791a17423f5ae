import { describe, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";

/** Features of a Gaussian: position 3, colour 3, scaling 3, rotation 4, opacity 1. */
export const gaussianHeadChannels = 14;

/** How features become Gaussians; the official `representation_config`. */
export interface GaussianHead {
	/** Of a voxel. */
	readonly gaussians: number;
	/** Side of the cube around a voxel's centre that its Gaussians can reach, in voxels. */
	readonly voxelSize: number;
	/** Voxels along an axis. */
	readonly resolution: number;
	/** Factors of the features. */
	readonly rates: {
		readonly position: number;
		readonly color: number;
		readonly scaling: number;
		readonly rotation: number;
		readonly opacity: number;
	};
	/** Scale of a Gaussian whose raw scaling is 0, in sides of the grid. */
	readonly scalingBias: number;
	/** Opacity of a Gaussian whose raw opacity is 0. */
	readonly opacityBias: number;
	/** Root of what is added to every squared scale. */
	readonly smallestScale: number;
}

/** Columns of both tensors: position 0..2, colour 3..5 (the constant term of spherical harmonics), scale 6..8, rotation 9..12, opacity 13. */
export interface GaussianTensors {
	/** f32 [voxels * gaussians, 14] as upstream stores them: positions in [0, 1], the others before their activations. */
	readonly raw: Tensor;
	/** f32 [voxels * gaussians, 14]: world positions in [-0.5, 0.5] (z up), scales, unit quaternions (w first), opacities; colours as in raw. */
	readonly activated: Tensor;
}

/** What `gaussianParameters` needs. */
export interface GaussianParametersRequest {
	/** f32 [voxels, 14 * gaussians]: positions of all Gaussians, then colours, scalings, rotations, opacities. */
	readonly features: Tensor;
	/** i32 [voxels, 4] rows (batch, x, y, z). */
	readonly coords: Tensor;
	/** f32 [gaussians, 3] added to the positions' features. */
	readonly offsets: Tensor;
	readonly head: GaussianHead;
}

/** Records the head's arithmetic. Splits into windows of voxels. Upstream: SLatGaussianDecoder.to_representation and the model's getters. */
export function gaussianParameters(graph: Graph, request: GaussianParametersRequest): GaussianTensors {
	const { features, coords, offsets, head } = request;
	const { gaussians, rates } = head;
	const [voxels] = features.shape;
	if (
		features.shape[1] !== gaussianHeadChannels * gaussians ||
		coords.shape[0] !== voxels ||
		coords.shape[1] !== 4 ||
		offsets.shape[0] !== gaussians
	) {
		throw new Error(
			`${graph.path}/gaussianParameters: features ${describe(features)}, coords ${describe(coords)} and offsets ${describe(offsets)} do not fit`,
		);
	}
	const byVoxel = [voxels, gaussians * gaussianHeadChannels];
	const raw = graph.tensor("raw Gaussians", "f32", byVoxel);
	const activated = graph.tensor("Gaussians", "f32", byVoxel);
	forEachWindow(graph, voxels, [features, raw, activated], (firstVoxel, count) => {
		graph.dispatch({
			shader: "splat/gaussianParameters",
			tensors: {
				features: rowsOf(features, firstVoxel, count),
				coords,
				offsets,
				raw: rowsOf(raw, firstVoxel, count),
				activated: rowsOf(activated, firstVoxel, count),
			},
			params: {
				count: count * gaussians,
				gaussians,
				firstVoxel,
				resolution: head.resolution,
				reach: (0.5 * head.voxelSize) / head.resolution,
				positionRate: rates.position,
				colorRate: rates.color,
				scalingRate: rates.scaling,
				rotationRate: rates.rotation,
				opacityRate: rates.opacity,
				// Inverses of softplus and of the sigmoid.
				scalingBias: head.scalingBias + Math.log(-Math.expm1(-head.scalingBias)),
				opacityBias: Math.log(head.opacityBias / (1 - head.opacityBias)),
				smallest: head.smallestScale,
			},
			workgroups: foldedWorkgroups(Math.ceil((count * gaussians) / 64)),
		});
	});
	const perGaussian = [voxels * gaussians, gaussianHeadChannels];
	return { raw: { ...raw, shape: perGaussian }, activated: { ...activated, shape: perGaussian } };
}

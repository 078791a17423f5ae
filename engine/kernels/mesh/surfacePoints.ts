import { describe, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { workgroupsOf } from "./bitSet.ts";
import type { InsideCornersRequest } from "./insideCorners.ts";

/** What `surfacePoints` needs: the SDF as `insideCorners` took it, and more. */
export interface SurfacePointsRequest extends Pick<InsideCornersRequest, "cubes" | "added" | "sdfBias"> {
	/** u32 [u] linear ids of grid vertices, (x (r + 1) + y) (r + 1) + z. */
	readonly vertexIds: Tensor;
	/** f32 [n, 53 or 101] per row: sdf 8, deform 8 x 3, weights 21, and in 101 columns colours 8 x 6; corner-major. */
	readonly features: Tensor;
	/** Averages the colours too; needs 101 columns. */
	readonly withColors: boolean;
}

/**
 * Points of the deformed grid, of the corner attributes of active cubes averaged per vertex: f32 [u, 4 or 10] x, y, z in [-0.5, 0.5] (z up),
 * sdf, sigmoid of the colours; sdf 1 and no deformation where there is no active cube. Upstream: SparseFeatures2Mesh, trellis
 * `sparse_cube2verts` with a plain mean.
 */
export function surfacePoints(graph: Graph, request: SurfacePointsRequest): Tensor {
	const { vertexIds, cubes, features, added, sdfBias, withColors } = request;
	const [rows, columns] = features.shape;
	if (features.shape.length !== 2 || columns < (withColors ? 101 : 53)) {
		throw new Error(`surfacePoints: features must be [n,${withColors ? "101" : "53 or 101"}], got ${describe(features)}`);
	}
	const [count] = vertexIds.shape;
	const channels = withColors ? 10 : 4;
	const points = graph.tensor("surfacePoints", "f32", [count, channels]);
	forEachWindow(graph, rows, [features], (firstRow, rowCount) => {
		graph.dispatch({
			shader: "mesh/surfacePoints",
			overrides: { hasAdded: added !== undefined },
			tensors: {
				...{ vertexIds, members: cubes.set.tensor, rows: cubes.rows },
				...{ features: rowsOf(features, firstRow, rowCount), added, points },
			},
			params: {
				...{ channels, count, resolution: cubes.resolution, words: cubes.set.words, columns, firstRow, rowCount, sdfBias },
				...{ isFirst: firstRow === 0, isLast: firstRow + rowCount === rows },
			},
			workgroups: workgroupsOf(count),
		});
	});
	return points;
}

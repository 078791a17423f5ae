import { type DType, describe, elementBytes, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { matmul } from "../dense/matmul.ts";
import { childrenPerVoxel } from "./subdividedVoxels.ts";
import { submanifoldTaps } from "./submanifoldNeighbours.ts";

/** A submanifold 3 x 3 x 3 convolution of subdivided features that reads the features before the subdivision. */
export interface SubdividedConvolutionRequest {
	/** [voxels, channels]: features that each of a voxel's eight children would have. */
	readonly x: Tensor;
	/** [columns, 3, 3, 3, channels]. */
	readonly weight: Tensor;
	/** f32 [columns]. */
	readonly bias?: Tensor | undefined;
	/** i32 [voxels, 27] neighbours of the voxels, not of their children. */
	readonly parentNeighbours: Tensor;
	readonly label?: string | undefined;
}

/**
 * y[child] = bias + sum over taps of weight[:, tap, :] x[parent of the child's neighbour]. The 27 neighbours of a child stand in eight
 * voxels, the same for one child of every voxel: eight products with eight sums of taps each, instead of one with 27 taps on eight times
 * the rows. Exact but for the order of summation and the rounding of the summed weights. Returns [8 * voxels, columns], of x's type.
 */
export function subdividedConvolution(graph: Graph, request: SubdividedConvolutionRequest): Tensor {
	const { x, weight, bias, parentNeighbours } = request;
	const label = request.label ?? "subdividedConvolution";
	const [voxels, channels] = x.shape;
	const columns = weight.shape[0];
	if (
		elementCount(weight.shape) !== columns * submanifoldTaps * channels ||
		parentNeighbours.shape.join() !== `${voxels},${submanifoldTaps}`
	) {
		throw new Error(
			`${graph.path}/${label}: weight ${describe(weight)} and neighbours ${describe(parentNeighbours)} do not fit x ${describe(x)}`,
		);
	}
	const parents = ofChildren(graph, `${label} parents`, "i32", [voxels, childrenPerVoxel]);
	forEachWindow(graph, childrenPerVoxel, [parents.all], (firstChild, children) => {
		const entries = voxels * children * childrenPerVoxel;
		graph.dispatch({
			shader: "sparse/octantParents",
			label: `${label} parents`,
			tensors: { x: parentNeighbours, y: rowsOf(parents.all, firstChild, children) },
			params: { entries, childStride: parents.stride, firstChild, children },
			workgroups: foldedWorkgroups(Math.ceil(entries / 64)),
		});
	});
	const weights = ofChildren(graph, `${label} weights`, weight.dtype, [columns, childrenPerVoxel, channels]);
	forEachWindow(graph, childrenPerVoxel, [weights.all], (firstChild, children) => {
		const ofChild = columns * childrenPerVoxel * channels;
		graph.dispatch({
			shader: "sparse/octantWeights",
			label: `${label} weights`,
			aliases: { Element: weight.dtype },
			tensors: { weight: reshape(weight, [columns, submanifoldTaps, channels]), y: rowsOf(weights.all, firstChild, children) },
			params: { elements: ofChild * children, ofChild, firstChild, childStride: weights.stride, channels },
			workgroups: foldedWorkgroups(Math.ceil((ofChild * children) / 64)),
		});
	});
	const y = graph.tensor(label, x.dtype, [voxels * childrenPerVoxel, columns]);
	for (let child = 0; child < childrenPerVoxel; child++) {
		matmul(graph, {
			x,
			weight: weights.of(child),
			bias,
			neighbours: { table: parents.of(child), rowsIn: voxels },
			into: { tensor: y, rows: { first: child, count: 1, stride: childrenPerVoxel, segments: voxels } },
			label,
		});
	}
	return y;
}

/** One tensor of this shape for every child, each at a place that can be bound. */
function ofChildren(graph: Graph, label: string, dtype: DType, shape: readonly number[]) {
	const unit = 256 / elementBytes(dtype);
	const stride = Math.ceil(elementCount(shape) / unit) * unit;
	const all = graph.tensor(label, dtype, [childrenPerVoxel, stride]);
	return { all, stride, of: (child: number): Tensor => ({ ...rowsOf(all, child, 1), shape }) };
}

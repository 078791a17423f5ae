import { describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/** The RMS norm of query and key heads (MultiHeadRMSNorm of TRELLIS), in place inside a matrix. */
export interface RmsNormRequest {
	/** [..., stride], f32 or f16: all but the last axis are rows. Overwritten. */
	readonly x: Tensor;
	/** First column of head 0; default 0. The heads follow each other. */
	readonly column?: number | undefined;
	/** f32 [heads, headSize]. */
	readonly gamma: Tensor;
	readonly label?: string | undefined;
}

/** Rows that a thread reads before it writes any, and vectors that it keeps at most. */
const rowsPerThread = 2;
const mostVectors = 16;

/**
 * Scales the vector v of every head to v / max(|v|, 1e-12) * gamma * sqrt(headSize), in f32; other columns stay. Returns x. Splits
 * into windows of rows. Throws where the heads do not fit into a row.
 */
export function rmsNorm(graph: Graph, request: RmsNormRequest): Tensor {
	const { x, gamma, column = 0 } = request;
	const label = request.label ?? "rmsNorm";
	const stride = x.shape.at(-1) ?? 0;
	const [heads, headSize] = gamma.shape;
	if (gamma.shape.length !== 2 || column + heads * headSize > stride) {
		throw new Error(`${graph.path}/${label}: gamma ${describe(gamma)} at column ${column} does not fit x ${describe(x)}`);
	}
	const workgroupSize = 64;
	const lanes = vectorLanes(headSize, stride, column);
	const vectors = headSize / lanes;
	const threadsPerHead = Math.min(workgroupSize, 2 ** Math.ceil(Math.log2(Math.max(1, vectors / 2))));
	const vectorsPerThread = Math.ceil(vectors / threadsPerHead);
	if (vectorsPerThread > mostVectors / rowsPerThread)
		throw new Error(`${graph.path}/${label}: heads must have at most ${(workgroupSize * lanes * mostVectors) / rowsPerThread} columns`);
	const rows = elementCount(x.shape) / stride;
	const flat = reshape(x, [rows, stride]);
	forEachWindow(graph, rows, [flat], (start, count) => {
		graph.dispatch({
			shader: "dense/rmsNorm",
			label,
			aliases: { Element: vectorType(x.dtype, lanes), Values: vectorType("f32", lanes) },
			overrides: { workgroupSize, threadsPerHead, vectorsPerThread, rowsPerThread },
			tensors: { x: rowsOf(flat, start, count), gamma },
			params: { rows: count, heads, vectors, stride: stride / lanes, column: column / lanes, length: Math.sqrt(headSize) },
			workgroups: foldedWorkgroups(Math.ceil((Math.ceil(count / rowsPerThread) * heads) / (workgroupSize / threadsPerHead))),
		});
	});
	return x;
}

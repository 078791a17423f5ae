import type { Device } from "../../engine/gpu/device.ts";
import { createTensor, type DType } from "../../engine/gpu/tensor.ts";
import { Graph } from "../../engine/graph/graph.ts";
import { matmul } from "../../engine/kernels/dense/matmul.ts";

/** Products of square matrices, of these sides, in one graph: what the matrix kernels reach with nothing else around. */
export function gemmGraph(device: Device, dtype: DType, sides: readonly number[] = [2048, 4096, 8192]): Graph {
	const graph = new Graph(device, "products");
	for (const side of sides) {
		const x = graph.input("x", dtype, [side, side]);
		graph.output(matmul(graph, { x, weight: createTensor("weight", dtype, [side, side], "resident") }));
	}
	return graph;
}

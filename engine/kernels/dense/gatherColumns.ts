import { describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/**
 * Ranges of columns of x [..., width] side by side: a new [rows, sum of counts] of x's type. torch: torch.cat([x[:, s:s + n] ...], 1). Splits
 * into windows of rows. Throws where a range does not lie in x.
 */
export function gatherColumns(
	graph: Graph,
	x: Tensor,
	ranges: readonly (readonly [start: number, count: number])[],
	label: string,
): Tensor {
	const inputStride = x.shape.at(-1) ?? 0;
	const rows = elementCount(x.shape) / inputStride;
	if (ranges.some(([start, count]) => start < 0 || start + count > inputStride)) {
		throw new Error(`${graph.path}/${label}: columns ${ranges.join(" and ")} are not all in x ${describe(x)}`);
	}
	const columns = ranges.reduce((sum, [, count]) => sum + count, 0);
	const lanes = vectorLanes(inputStride, ...ranges.flat());
	const table = graph.constant(`columns ${ranges.join(" and ")} in ${lanes}`, "u32", [columns / lanes], () =>
		Uint32Array.from(ranges.flatMap(([start, count]) => Array.from({ length: count / lanes }, (_, i) => start / lanes + i))),
	);
	const y = graph.tensor(label, x.dtype, [rows, columns]);
	const flatX = reshape(x, [rows, inputStride]);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	forEachWindow(graph, rows, [flatX, y], (start, count) => {
		const elements = (count * columns) / lanes;
		graph.dispatch({
			shader: "dense/gatherColumns",
			label,
			aliases: { Element: vectorType(x.dtype, lanes) },
			overrides: { workgroupSize },
			tensors: { x: rowsOf(flatX, start, count), table, y: rowsOf(y, start, count) },
			params: { elements, columns: columns / lanes, inputStride: inputStride / lanes },
			workgroups: foldedWorkgroups(Math.ceil(elements / workgroupSize)),
		});
	});
	return y;
}

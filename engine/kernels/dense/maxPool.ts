import { describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/**
 * torch F.max_pool2d(x, 2, stride=2, ceil_mode=True) on pictures [images, height, width, channels], f32 or f16; returns [images,
 * ceil(height / 2), ceil(width / 2), channels]. Splits into windows of images. Throws where x has other axes.
 */
export function maxPool(graph: Graph, x: Tensor, label = "maxPool"): Tensor {
	if (x.shape.length !== 4) throw new Error(`${graph.path}/${label}: x must be [images, height, width, channels], got ${describe(x)}`);
	const [images, height, width, channels] = x.shape;
	const half = [Math.ceil(height / 2), Math.ceil(width / 2)];
	const y = graph.tensor(label, x.dtype, [images, ...half, channels]);
	const lanes = vectorLanes(channels);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	const byImage = (tensor: Tensor) => reshape(tensor, [images, elementCount(tensor.shape) / images]);
	forEachWindow(graph, images, [byImage(x), byImage(y)], (start, count) => {
		const elements = (count * half[0] * half[1] * channels) / lanes;
		graph.dispatch({
			shader: "dense/maxPool",
			label,
			aliases: { Element: vectorType(x.dtype, lanes) },
			overrides: { workgroupSize },
			tensors: { x: rowsOf(byImage(x), start, count), y: rowsOf(byImage(y), start, count) },
			params: { elements, height, width, channels: channels / lanes },
			workgroups: foldedWorkgroups(Math.ceil(elements / workgroupSize)),
		});
	});
	return y;
}

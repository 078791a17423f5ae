import { elementCount, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";

/** Records the bytes of a picture f32 [..., 4] into `packed` u32 [...]: times 255, cut to 0..255, fractions dropped; r in the lowest byte. */
export function packColors(graph: Graph, color: Tensor, packed: Tensor): void {
	const count = elementCount(packed.shape);
	if (elementCount(color.shape) !== count * 4)
		throw new Error(`packColors: color must have 4 values a pixel of [${packed.shape}], got [${color.shape}]`);
	graph.dispatch({
		shader: "splat/packColors",
		tensors: { color, packed },
		params: { count },
		workgroups: foldedWorkgroups(Math.ceil(count / 64)),
	});
}

import { type DType, describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";

/** What a vision transformer starts from. */
export interface ImageTokensRequest {
	/** [images, patches, columns], f32 or f16. */
	readonly patches: Tensor;
	/** f32 [columns]. */
	readonly classToken: Tensor;
	/** f32 [registers, columns], without positions; default none. */
	readonly registers?: Tensor | undefined;
	/** f32 [rows, columns], whose first row is the class token's. */
	readonly classPosition: Tensor;
	/** f32 [rows, columns]: row `first` (default 0) is the first patch's. */
	readonly positions: { readonly tensor: Tensor; readonly first?: number };
	/** Default: that of patches. */
	readonly outputDtype?: DType | undefined;
}

/** Class token, registers and patches of every image, positions added: [images, 1 + registers + patches, columns]. Throws where shapes do not fit. */
export function imageTokens(graph: Graph, request: ImageTokensRequest): Tensor {
	const { patches, classToken, registers, classPosition, positions } = request;
	const where = `${graph.path}/imageTokens`;
	const [images, patchCount, columns] = patches.shape;
	const registerCount = registers ? elementCount(registers.shape) / columns : 0;
	const { tensor: table, first = 0 } = positions;
	const rowsOfColumns = (name: string, tensor: Tensor, rows: number) => {
		if (elementCount(tensor.shape) < rows * columns || tensor.shape.at(-1) !== columns) {
			throw new Error(`${where}: ${name} must be [>= ${rows},${columns}], got ${describe(tensor)}`);
		}
	};
	rowsOfColumns("classToken", classToken, 1);
	rowsOfColumns("classPosition", classPosition, 1);
	rowsOfColumns("positions", table, first + patchCount);
	const tokens = 1 + registerCount + patchCount;
	const y = graph.tensor("tokens", request.outputDtype ?? patches.dtype, [images, tokens, columns]);
	const flatPatches = reshape(patches, [images, patchCount * columns]);
	const flatY = reshape(y, [images, tokens * columns]);
	forEachWindow(graph, images, [flatPatches, flatY], (start, count) => {
		graph.dispatch({
			shader: "dense/imageTokens",
			aliases: { Input: patches.dtype, Output: y.dtype },
			tensors: {
				patches: rowsOf(flatPatches, start, count),
				classToken,
				registers,
				classPosition,
				positions: table,
				y: rowsOf(flatY, start, count),
			},
			params: { images: count, patchCount, registerCount, columns, firstPosition: first },
			workgroups: foldedWorkgroups(Math.ceil((count * tokens * columns) / 64)),
		});
	});
	return y;
}

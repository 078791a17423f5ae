import { blockRows, describe, elementBytes, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { matmul } from "./matmul.ts";
import { batchedRows } from "./matmulRequest.ts";
import { hasSubgroupMatrices } from "./subgroupMatrix.ts";
import { imagesAtOnce } from "./winogradConvolution.ts";

/** A 3x3 convolution with padding 1 of pictures doubled in height and width. */
export interface UpsampleConvolutionRequest {
	/** [images, height, width, channels]. */
	readonly x: Tensor;
	/** [columns, 3, 3, channels], channels and columns multiples of 4; its type is that of the products. */
	readonly weight: Tensor;
	/** f32 [columns]. */
	readonly bias?: Tensor | undefined;
	/** Bytes of transformed pixels and products at a time; default as of `winogradConvolution`. */
	readonly chunkBytes?: number | undefined;
	readonly label?: string | undefined;
}

/** Whether `upsampleConvolution` is faster than `convolution` with `upsample`, as `runsByWinograd`. */
export function runsUpsampled(graph: Graph, x: Tensor, weight: Tensor): boolean {
	const { report } = graph.device;
	if (x.shape.length !== 4 || weight.shape.slice(1, -1).join() !== "3,3") return false;
	const [images, height, width, channels] = x.shape;
	const columns = weight.shape[0];
	const pixels = height * width;
	const batchRows = Math.ceil((images * pixels) / batchedRows) * batchedRows;
	const fits = 9 * (pixels + batchedRows) * Math.max(channels, columns) * 2 <= report.limits.maxStorageBufferBindingSize;
	const wide = channels >= 256 && columns >= 256 && channels % 32 === 0 && columns % 4 === 0;
	return hasSubgroupMatrices(report) && weight.dtype === "f16" && wide && fits && batchRows <= 1.25 * images * pixels;
}

/**
 * torch F.conv2d(F.interpolate(x, scale_factor=2), weight, bias, padding=1): [images, 2 height, 2 width, columns] in x's type. Winograd's
 * F(2x2, 3x3) where nearest pixels repeat: 9 multiplications a pixel of x, channel and column in place of 36, for 9 products of matrices
 * between two transforms. In f16 the error on white noise is 6.0e-4 where the direct convolution's is 2.1e-4 (docs/convolution.md). Throws where
 * shapes do not fit.
 */
export function upsampleConvolution(graph: Graph, request: UpsampleConvolutionRequest): Tensor {
	const { x, weight, bias } = request;
	const label = request.label ?? "upsample";
	const [images, height, width, channels] = x.shape;
	const columns = weight.shape[0];
	const dtype = weight.dtype;
	const fits = x.shape.length === 4 && weight.shape.length === 4 && weight.shape[1] === 3 && weight.shape[2] === 3;
	if (!fits || weight.shape[3] !== channels || channels % 4 !== 0 || columns % 4 !== 0) {
		throw new Error(`${graph.path}/${label}: weight ${describe(weight)} does not fit x ${describe(x)}`);
	}
	const workgroupSize = graph.device.report.software ? 64 : 256;
	const transformedWeight = graph.tensor(`${label} weight`, dtype, [9, columns, channels]);
	graph.dispatch({
		shader: "dense/upsampleWeight",
		label: `${label} weight`,
		aliases: { Weight: dtype },
		overrides: { workgroupSize },
		tensors: { weight, u: transformedWeight },
		mayBlock: columns % blockRows === 0 ? ["u"] : [], // each plane by itself
		params: { columns, vectors: channels / 4 },
		workgroups: foldedWorkgroups(Math.ceil((columns * channels) / 4 / workgroupSize)),
	});
	const y = graph.tensor(label, x.dtype, [images, 2 * height, 2 * width, columns]);
	const chunk = imagesAtOnce(graph, images, 9 * height * width * (channels + columns) * elementBytes(dtype), request.chunkBytes);
	const strip = images * height * width * channels >= 2 ** 23 ? 8 : 4;
	const strips = Math.ceil(height / strip);
	for (let firstImage = 0; firstImage < images; firstImage += chunk) {
		const count = Math.min(chunk, images - firstImage);
		const batchRows = Math.ceil((count * height * width) / batchedRows) * batchedRows;
		const transformed = graph.tensor(`${label} transformed`, dtype, [9 * batchRows, channels]);
		const threadsIn = count * strips * width * (channels / 4);
		graph.dispatch({
			shader: "dense/upsampleInput",
			label: `${label} input`,
			aliases: { Input: x.dtype, Output: dtype },
			overrides: { workgroupSize },
			tensors: { x: rowsOf(x, firstImage, count), v: transformed },
			mayBlock: ["v"],
			params: { height, width, vectors: channels / 4, strip, strips, threads: threadsIn, batchRows },
			workgroups: foldedWorkgroups(Math.ceil(threadsIn / workgroupSize)),
		});
		const products = matmul(graph, { x: transformed, weight: transformedWeight, weights: 9, label: `${label} products` });
		const threadsOut = count * height * width * (columns / 4);
		graph.dispatch({
			shader: "dense/upsampleOutput",
			label,
			aliases: { Product: products.dtype, Output: y.dtype },
			overrides: { workgroupSize, hasBias: bias !== undefined },
			tensors: { m: products, bias, y: rowsOf(y, firstImage, count) },
			params: { width, vectors: columns / 4, threads: threadsOut, batchRows },
			workgroups: foldedWorkgroups(Math.ceil(threadsOut / workgroupSize)),
		});
	}
	return y;
}

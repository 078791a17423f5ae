import { type DType, describe, elementBytes, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { neighboursOf } from "./convolutionGeometry.ts";
import { type GroupNormRequest, groupNormFactors } from "./groupNorm.ts";
import { type Activation, activationCode, batchedRows, matmul, type PerGroup } from "./matmul.ts";
import { hasSubgroupMatrices } from "./subgroupMatrix.ts";

/** A 3x3 or 3x3x3 convolution with stride 1 and padding 1, and what stands before and behind it. */
export interface WinogradConvolutionRequest {
	/** [images, height, width, channels] or [images, depth, height, width, channels]. */
	readonly x: Tensor;
	/** The group norm (and SiLU) of pictures that the convolution reads, applied on the way; default none. */
	readonly norm?: Omit<GroupNormRequest, "x" | "outputDtype" | "label"> | undefined;
	/** [columns, 3, 3, channels] or [columns, 3, 3, 3, channels], channels and columns multiples of 4; its type is that of the products. */
	readonly weight: Tensor;
	/** f32 [columns]. */
	readonly bias?: Tensor | undefined;
	/** `rows` must be whole pictures, or whole slices of volumes. */
	readonly rowBias?: PerGroup | undefined;
	readonly activation?: Activation | undefined;
	/** As x, with columns; added last. */
	readonly residual?: Tensor | undefined;
	/** Default: the weight's. */
	readonly outputDtype?: DType | undefined;
	/** Bytes of transformed pixels and products at a time; images are taken in as many groups. Default 1 GiB. */
	readonly chunkBytes?: number | undefined;
	readonly label?: string | undefined;
}

/** Sizes of x; a picture is a volume of one slice. */
function sizesOf(x: Tensor) {
	const volume = x.shape.length === 5;
	const [images, depth, height, width, channels] = volume ? x.shape : [x.shape[0], 1, ...x.shape.slice(1)];
	const [tilesY, tilesX] = [Math.ceil(height / 2), Math.ceil(width / 2)];
	return { volume, images, depth, height, width, channels, tilesY, tilesX, tiles: tilesY * tilesX };
}

/**
 * torch F.conv2d(f(x), weight, bias, padding=1) by F(2x2, 3x3) (Lavin and Gray 2016): 4 multiplications a pixel, channel and column in place
 * of 9, for 16 products of matrices between two transforms. F.conv3d likewise: the first axis keeps its three taps, which the products sum.
 * Returns x's shape with columns. Transformed pixels and weights are rounded to the weight's type: in f16 the error is 1.5 times the direct
 * convolution's (3.4e-4 where that has 2.3e-4). Throws where shapes do not fit.
 */
export function winogradConvolution(graph: Graph, request: WinogradConvolutionRequest): Tensor {
	const { x, norm, weight, bias, rowBias, residual } = request;
	const label = request.label ?? "convolution";
	const { volume, images, depth, height, width, channels, tilesY, tilesX, tiles } = sizesOf(x);
	const columns = weight.shape[0];
	const dtype = weight.dtype;
	const fits = (volume || x.shape.length === 4) && weight.shape.slice(1, -1).join() === (volume ? "3,3,3" : "3,3");
	if (!fits || weight.shape.at(-1) !== channels || channels % 4 !== 0 || columns % 4 !== 0 || (volume && norm)) {
		throw new Error(`${graph.path}/${label}: weight ${describe(weight)} does not fit x ${describe(x)}`);
	}
	if (volume && (depth * tiles) % batchedRows !== 0) {
		throw new Error(`${graph.path}/${label}: x must have a multiple of ${batchedRows} tiles of 2 x 2 voxels, got ${describe(x)}`);
	}
	if (rowBias && rowBias.rows % (height * width) !== 0)
		throw new Error(`${graph.path}/${label}: rowBias must be of whole images, got one of ${rowBias.rows} rows`);
	const outputDtype = request.outputDtype ?? dtype;
	const y = graph.tensor(label, outputDtype, [...x.shape.slice(0, -1), columns]);
	if (residual && elementCount(residual.shape) !== elementCount(y.shape))
		throw new Error(`${graph.path}/${label}: residual must be ${describe(y)}, got ${describe(residual)}`);
	const factors = norm && groupNormFactors(graph, { ...norm, x, label: `${label} norm` });
	const transformedWeight = winogradWeight(graph, weight, label);
	// The taps of the first axis: the tile itself in the slices before, here and after.
	const between = [
		[1, 1],
		[0, 0],
	] as const;
	const neighbours = volume ? neighboursOf(graph, { extent: [depth, tiles], kernel: [3, 1], padding: between }) : undefined;
	const workgroupSize = graph.device.report.software ? 64 : 256;
	const imageBytes = 16 * depth * tiles * (channels + columns) * elementBytes(dtype);
	const chunk = imagesAtOnce(graph, images, imageBytes, request.chunkBytes) * depth;
	// Long strips read less; short ones keep all of a large GPU busy.
	const strip = images * depth * tiles * channels >= 2 ** 23 ? 8 : 4;
	const strips = Math.ceil(tilesY / strip);
	const slices = (tensor: Tensor, first: number, count: number) =>
		rowsOf(reshape(tensor, [images * depth, height, width, elementCount(tensor.shape) / (images * depth * height * width)]), first, count);
	for (let first = 0; first < images * depth; first += chunk) {
		const count = Math.min(chunk, images * depth - first);
		const batchRows = Math.ceil((count * tiles) / batchedRows) * batchedRows;
		const transformed = graph.tensor(`${label} transformed`, dtype, [16 * batchRows, channels]);
		const shape = { height, width, tilesY, tilesX, batchRows, firstImage: first };
		const threadsIn = count * strips * tilesX * (channels / 4);
		graph.dispatch({
			shader: "dense/winogradInput",
			label: `${label} input`,
			aliases: { Input: x.dtype, Output: dtype },
			overrides: { workgroupSize, normalised: norm !== undefined, silu: norm?.silu ?? false },
			tensors: { x: slices(x, first, count), factors, bias: norm?.affine?.bias, v: transformed },
			params: { ...shape, vectors: channels / 4, strip, strips, threads: threadsIn },
			workgroups: foldedWorkgroups(Math.ceil(threadsIn / workgroupSize)),
		});
		const products = matmul(graph, { x: transformed, weight: transformedWeight, weights: 16, neighbours, label: `${label} products` });
		const threadsOut = count * tiles * (columns / 4);
		graph.dispatch({
			shader: "dense/winogradOutput",
			label,
			aliases: { Product: products.dtype, Output: outputDtype, Residual: residual?.dtype ?? "f32" },
			overrides: {
				workgroupSize,
				activation: activationCode[request.activation ?? "none"],
				hasBias: bias !== undefined,
				hasRowBias: rowBias !== undefined,
				hasResidual: residual !== undefined,
			},
			tensors: {
				m: products,
				bias,
				rowBias: rowBias?.tensor,
				residual: residual && slices(residual, first, count),
				y: slices(y, first, count),
			},
			params: {
				...shape,
				vectors: columns / 4,
				threads: threadsOut,
				rowBiasImages: rowBias ? rowBias.rows / (height * width) : 1,
				rowBiasStride: rowBias?.tensor.shape.at(-1) ?? 0,
				rowBiasColumn: rowBias?.column ?? 0,
			},
			workgroups: foldedWorkgroups(Math.ceil(threadsOut / workgroupSize)),
		});
	}
	return y;
}

/**
 * Whether `winogradConvolution` is faster than `convolution`: on matrices, for channels enough that the products outweigh the transforms. It
 * follows from the shape and the device; docs/convolution.md has the measurements.
 */
export function runsByWinograd(graph: Graph, x: Tensor, weight: Tensor): boolean {
	const { report } = graph.device;
	const taps = weight.shape.slice(1, -1);
	if (x.shape.length !== taps.length + 2 || taps.length > 3 || taps.length < 2 || taps.some((count) => count !== 3)) return false;
	const { volume, images, depth, channels, tiles } = sizesOf(x);
	const columns = weight.shape[0];
	const rows = images * depth * tiles;
	const padded = Math.ceil(rows / batchedRows) * batchedRows;
	const whole = volume ? (depth * tiles) % batchedRows === 0 : padded <= 1.25 * rows;
	const fits = 16 * (depth * tiles + batchedRows) * Math.max(channels, columns) * 2 <= report.limits.maxStorageBufferBindingSize;
	const wide = channels >= 256 && columns >= 256 && channels % 32 === 0 && columns % 4 === 0;
	return hasSubgroupMatrices(report) && weight.dtype === "f16" && wide && whole && fits;
}

/**
 * How many images are transformed at a time: equal groups where that is possible, the fewest that need at most `chunkBytes` (default 1 GiB)
 * and fit a binding; at least one image.
 */
export function imagesAtOnce(graph: Graph, images: number, imageBytes: number, chunkBytes = 2 ** 30): number {
	const bytes = Math.min(chunkBytes, graph.device.report.limits.maxStorageBufferBindingSize);
	const most = Math.max(1, Math.floor(bytes / imageBytes));
	return Math.ceil(images / Math.ceil(images / most));
}

/** [16, columns, channels] of [columns, 3, 3, channels]; [16, columns, 3, channels] of [columns, 3, 3, 3, channels]. */
function winogradWeight(graph: Graph, weight: Tensor, label: string): Tensor {
	const [outer, channels] = [weight.shape.slice(0, -3), weight.shape.at(-1) ?? 0];
	const columns = elementCount(outer);
	const u = graph.tensor(`${label} weight`, weight.dtype, [16, ...outer, channels]);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	graph.dispatch({
		shader: "dense/winogradWeight",
		label: `${label} weight`,
		aliases: { Weight: weight.dtype },
		overrides: { workgroupSize },
		tensors: { weight, u },
		params: { columns, vectors: channels / 4 },
		workgroups: foldedWorkgroups(Math.ceil((columns * channels) / 4 / workgroupSize)),
	});
	return u;
}

import { blockRows, type DType, describe, elementBytes, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { neighboursOf } from "./convolutionGeometry.ts";
import { type GroupNormRequest, groupNormFactors } from "./groupNorm.ts";
import { matmul } from "./matmul.ts";
import { type Activation, activationCode, batchedRows, type PerGroup } from "./matmulRequest.ts";
import { hasSubgroupMatrices } from "./subgroupMatrix.ts";
import { vectorType } from "./vectorLanes.ts";

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
	/** Pixels a side of what one product of matrices gives: F(2x2, 3x3) or F(4x4, 3x3). Default `winogradTile`'s, else 2. */
	readonly tile?: WinogradTile | undefined;
	readonly label?: string | undefined;
}

/** Pixels a side of a tile of the result. */
export type WinogradTile = 2 | 4;

/** Each tile size's kernels, a thread's channels or columns in its transforms, and their workgroups' threads. */
const kernelsOf = {
	2: { input: "dense/winogradInput", weight: "dense/winogradWeight", output: "dense/winogradOutput", lanes: 4, threads: 256 },
	4: { input: "dense/winogradInput4", weight: "dense/winogradWeight4", output: "dense/winogradOutput4", lanes: 2, threads: 64 },
} as const;

/** Sizes of x; a picture is a volume of one slice. */
function sizesOf(x: Tensor, tile: WinogradTile) {
	const volume = x.shape.length === 5;
	const [images, depth, height, width, channels] = volume ? x.shape : [x.shape[0], 1, ...x.shape.slice(1)];
	const [tilesY, tilesX] = [Math.ceil(height / tile), Math.ceil(width / tile)];
	return { volume, images, depth, height, width, channels, tilesY, tilesX, tiles: tilesY * tilesX };
}

/** Rows of a batch of so many. */
const paddedRows = (rows: number) => Math.ceil(rows / batchedRows) * batchedRows;

/**
 * torch F.conv2d(f(x), weight, bias, padding=1) by F(4x4, 3x3) or F(2x2, 3x3) (Lavin and Gray 2016): 2.25 or 4 multiplications a pixel, channel
 * and column in place of 9, for 36 or 16 products of matrices between two transforms. F.conv3d likewise, in tiles of 2: the first axis keeps its
 * three taps, which the products sum. Returns x's shape with columns. Transformed pixels, weights and products are rounded to the weight's
 * type; docs/convolution.md has the errors in f16. Throws where shapes do not fit.
 */
export function winogradConvolution(graph: Graph, request: WinogradConvolutionRequest): Tensor {
	const { x, norm, weight, bias, rowBias, residual } = request;
	const label = request.label ?? "convolution";
	const tile = request.tile ?? winogradTile(graph, x, weight) ?? 2;
	const { volume, images, depth, height, width, channels, tilesY, tilesX, tiles } = sizesOf(x, tile);
	const kernels = kernelsOf[tile];
	const planes = (tile + 2) ** 2;
	const columns = weight.shape[0];
	const dtype = weight.dtype;
	const fits = (volume || x.shape.length === 4) && weight.shape.slice(1, -1).join() === (volume ? "3,3,3" : "3,3");
	if (!fits || weight.shape.at(-1) !== channels || channels % 4 !== 0 || columns % 4 !== 0 || (volume && norm)) {
		throw new Error(`${graph.path}/${label}: weight ${describe(weight)} does not fit x ${describe(x)}`);
	}
	if (volume && (tile !== 2 || (depth * tiles) % batchedRows !== 0)) {
		throw new Error(`${graph.path}/${label}: x must have a multiple of ${batchedRows} tiles of 2 x 2 voxels, got ${describe(x)}`);
	}
	if (rowBias && rowBias.rows % (height * width) !== 0)
		throw new Error(`${graph.path}/${label}: rowBias must be of whole images, got one of ${rowBias.rows} rows`);
	const outputDtype = request.outputDtype ?? dtype;
	const y = graph.tensor(label, outputDtype, [...x.shape.slice(0, -1), columns]);
	if (residual && elementCount(residual.shape) !== elementCount(y.shape))
		throw new Error(`${graph.path}/${label}: residual must be ${describe(y)}, got ${describe(residual)}`);
	const factors = norm && groupNormFactors(graph, { ...norm, x, label: `${label} norm` });
	const transformedWeight = transformWeight(graph, weight, tile, label);
	// The taps of the first axis: the tile itself in the slices before, here and after.
	const between = [
		[1, 1],
		[0, 0],
	] as const;
	const neighbours = volume ? neighboursOf(graph, { extent: [depth, tiles], kernel: [3, 1], padding: between }) : undefined;
	const { lanes } = kernels;
	const workgroupSize = graph.device.report.software ? 64 : kernels.threads;
	const vector = (type: DType) => vectorType(type, lanes);
	const imageBytes = planes * depth * tiles * (channels + columns) * elementBytes(dtype);
	const chunk = imagesAtOnce(graph, images, imageBytes, request.chunkBytes) * depth;
	// Long strips read less; short ones keep all of a large GPU busy.
	const strip = (images * depth * height * width * channels >= 2 ** 24 ? 16 : 8) / tile;
	const strips = Math.ceil(tilesY / strip);
	const slices = (tensor: Tensor, first: number, count: number) =>
		rowsOf(reshape(tensor, [images * depth, height, width, elementCount(tensor.shape) / (images * depth * height * width)]), first, count);
	for (let first = 0; first < images * depth; first += chunk) {
		const count = Math.min(chunk, images * depth - first);
		const batchRows = paddedRows(count * tiles);
		const transformed = graph.tensor(`${label} transformed`, dtype, [planes * batchRows, channels]);
		const shape = { height, width, tilesY, tilesX, batchRows, firstImage: first };
		const threadsIn = count * strips * tilesX * (channels / lanes);
		graph.dispatch({
			shader: kernels.input,
			label: `${label} input`,
			aliases: { Input: x.dtype, Output: dtype },
			overrides: { workgroupSize, normalised: norm !== undefined, silu: norm?.silu ?? false },
			tensors: { x: slices(x, first, count), factors, bias: norm?.affine?.bias, v: transformed },
			mayBlock: ["v"],
			params: { ...shape, vectors: channels / lanes, strip, strips, threads: threadsIn },
			workgroups: foldedWorkgroups(Math.ceil(threadsIn / workgroupSize)),
		});
		const products = matmul(graph, {
			x: transformed,
			weight: transformedWeight,
			weights: planes,
			neighbours,
			label: `${label} products`,
		});
		const threadsOut = count * tiles * (columns / lanes);
		graph.dispatch({
			shader: kernels.output,
			label,
			aliases: {
				...{ Product: vector(products.dtype), Output: vector(outputDtype), Residual: vector(residual?.dtype ?? "f32") },
				Values: vector("f32"),
			},
			overrides: {
				workgroupSize,
				lanes,
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
				vectors: columns / lanes,
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
 * The tile with which `winogradConvolution` is faster than `convolution`: on matrices, for channels enough that the products outweigh the
 * transforms; undefined where none is. It follows from the shape and the device; docs/convolution.md has the measurements.
 */
export function winogradTile(graph: Graph, x: Tensor, weight: Tensor): WinogradTile | undefined {
	const { report } = graph.device;
	const taps = weight.shape.slice(1, -1);
	if (x.shape.length !== taps.length + 2 || taps.length > 3 || taps.length < 2 || taps.some((count) => count !== 3)) return undefined;
	if (!hasSubgroupMatrices(report) || weight.dtype !== "f16") return undefined;
	const columns = weight.shape[0];
	const fitting = ([2, 4] as const).filter((tile) => {
		const { volume, images, depth, channels, tiles } = sizesOf(x, tile);
		const rows = images * depth * tiles;
		const whole = volume ? tile === 2 && (depth * tiles) % batchedRows === 0 : paddedRows(rows) <= 1.25 * rows;
		const bytes = (tile + 2) ** 2 * (depth * tiles + batchedRows) * Math.max(channels, columns) * 2;
		const wide = channels >= 256 && columns >= 256 && channels % 32 === 0 && columns % 4 === 0;
		return wide && whole && bytes <= report.limits.maxStorageBufferBindingSize;
	});
	return fitting.at(-1);
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

/** [planes, columns, channels] of [columns, 3, 3, channels]; [planes, columns, 3, channels] of [columns, 3, 3, 3, channels]. */
function transformWeight(graph: Graph, weight: Tensor, tile: WinogradTile, label: string): Tensor {
	const [outer, channels] = [weight.shape.slice(0, -3), weight.shape.at(-1) ?? 0];
	const columns = elementCount(outer);
	const u = graph.tensor(`${label} weight`, weight.dtype, [(tile + 2) ** 2, ...outer, channels]);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	graph.dispatch({
		shader: kernelsOf[tile].weight,
		label: `${label} weight`,
		aliases: { Weight: weight.dtype },
		overrides: { workgroupSize },
		tensors: { weight, u },
		mayBlock: columns % blockRows === 0 ? ["u"] : [], // each plane by itself
		params: { columns, vectors: channels / 4 },
		workgroups: foldedWorkgroups(Math.ceil((columns * channels) / 4 / workgroupSize)),
	});
	return u;
}

import { describe, reshape, type Tensor } from "../../gpu/tensor.ts";
import type { Graph } from "../../graph/graph.ts";
import { type ConvolutionGeometry, convolutionExtent, neighboursOf } from "./convolutionGeometry.ts";
import { matmul } from "./matmul.ts";
import type { Epilogue } from "./matmulRequest.ts";
import { permute } from "./permute.ts";
import { runsUpsampled, upsampleConvolution } from "./upsampleConvolution.ts";
import { winogradConvolution, winogradTile } from "./winogradConvolution.ts";

/** A convolution over channels-last data with everything the matmul's epilogue offers. */
export interface ConvolutionRequest extends Epilogue {
	/** [images, ...extent, channels]. */
	readonly x: Tensor;
	/** [columns, ...kernel, channels]: torch's [columns, channels, ...kernel] permuted at load. */
	readonly weight: Tensor;
	readonly stride?: number;
	readonly padding?: ConvolutionGeometry["padding"];
	readonly upsample?: number;
	readonly dilation?: number;
}

/**
 * torch F.conv2d / F.conv3d (cross-correlation) on [images, ...extent, channels]; returns [images, ...output extent, columns]. Goes by
 * transforms where those are faster.
 */
export function convolution(graph: Graph, request: ConvolutionRequest): Tensor {
	const { x, weight, stride, padding, upsample, dilation, ...epilogue } = request;
	const extent = x.shape.slice(1, -1);
	const kernel = weight.shape.slice(1, -1);
	if (kernel.length !== extent.length || weight.shape.at(-1) !== x.shape.at(-1)) {
		throw new Error(`${graph.path}/${request.label ?? "convolution"}: weight ${describe(weight)} does not fit x ${describe(x)}`);
	}
	const transformed = byTransforms(graph, request);
	if (transformed) return transformed;
	const geometry: ConvolutionGeometry = {
		extent,
		kernel,
		...(stride !== undefined && { stride }),
		...(padding !== undefined && { padding }),
		...(upsample !== undefined && { upsample }),
		...(dilation !== undefined && dilation !== 1 && { dilation }),
	};
	const apart = (padding ?? 0) === 0 && (upsample ?? 1) === 1 && (dilation ?? 1) === 1;
	if (apart && stride !== undefined && stride > 1 && kernel.every((k, axis) => k === stride && extent[axis] % k === 0))
		return patchProduct(graph, request, stride);
	const pointwise = kernel.every((k) => k === 1) && (stride ?? 1) === 1 && apart;
	const y = matmul(graph, {
		label: "convolution",
		...epilogue,
		x,
		weight,
		...(!pointwise && { neighbours: neighboursOf(graph, geometry) }),
	});
	return { ...y, shape: [x.shape[0], ...convolutionExtent(geometry), y.shape.at(-1) ?? 0] };
}

/** A convolution of patches that neither overlap nor leave anything out: their pixels side by side are rows of a product. */
function patchProduct(graph: Graph, { x, weight, stride, padding, ...epilogue }: ConvolutionRequest, patch: number): Tensor {
	const [images, ...extent] = x.shape.slice(0, -1);
	const channels = x.shape.at(-1) ?? 0;
	const label = epilogue.label ?? "convolution";
	const view = [images, ...extent.flatMap((length) => [length / patch, patch]), channels];
	const [patches, inside] = [extent.map((_, axis) => 1 + 2 * axis), extent.map((_, axis) => 2 + 2 * axis)];
	const beside = permute(graph, { x, view, axes: [0, ...patches, ...inside, view.length - 1], label: `${label} patches` });
	const counts = extent.map((length) => length / patch);
	const inner = channels * patch ** extent.length;
	const rows = reshape(beside, [images * counts.reduce((a, b) => a * b, 1), inner]);
	const y = matmul(graph, { ...epilogue, x: rows, weight: reshape(weight, [weight.shape[0], inner]), label });
	return { ...y, shape: [images, ...counts, y.shape.at(-1) ?? 0] };
}

/** The same by `winogradConvolution` or `upsampleConvolution`, where one of them can do all that is asked for and is faster. */
function byTransforms(graph: Graph, request: ConvolutionRequest): Tensor | undefined {
	const { x, weight, bias, rowBias, residual, label = "convolution", stride = 1, padding, upsample = 1, dilation = 1 } = request;
	const { activation, gated = false, gate, into, outputDtype = x.dtype } = request;
	const pixels = x.shape.slice(1, -1).reduce((a, b) => a * b, 1);
	const plain = !gated && gate === undefined && into === undefined && stride === 1 && padding === 1 && dilation === 1;
	if (!plain || (rowBias && rowBias.rows % pixels !== 0)) return undefined;
	if (upsample === 1 && winogradTile(graph, x, weight))
		return winogradConvolution(graph, { x, weight, bias, rowBias, activation, residual, outputDtype, label });
	if (upsample === 2 && !activation && !rowBias && !residual && outputDtype === x.dtype && runsUpsampled(graph, x, weight))
		return upsampleConvolution(graph, { x, weight, bias, label });
	return undefined;
}

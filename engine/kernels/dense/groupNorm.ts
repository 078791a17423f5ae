import { type DType, describe, elementBytes, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/** Group normalisation of channels-last data; torch: F.group_norm(x, groups, weight, bias, eps), then SiLU. */
export interface GroupNormRequest {
	/**
	 * [images, ...positions, channels], f32 or f16. Statistics are taken over all positions and channels / groups channels of one image.
	 * Sparse rows [n, channels] of one batch element: reshape to [1, n, channels].
	 */
	readonly x: Tensor;
	/** A divisor of channels; group g holds the consecutive channels g * channels / groups ... */
	readonly groups: number;
	/** Added to the variance. */
	readonly eps: number;
	/** f32 [channels] each. */
	readonly affine?: { readonly weight: Tensor; readonly bias: Tensor } | undefined;
	/** SiLU after the norm. */
	readonly silu?: boolean | undefined;
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
	readonly label?: string | undefined;
}

/** How channels and positions of one image are spread over workgroups. */
interface Division {
	/** Vectors of channels a workgroup looks at. */
	readonly width: number;
	/** Workgroups side by side until all channels are covered. */
	readonly chunks: number;
	/** Positions a workgroup looks at. */
	readonly sliceRows: number;
}

/** Slices of an image, where a thread then has neither fewer nor more rows than these; and most slices of all. */
const wanted = Object.freeze({ slices: 48, leastRows: 8, mostRows: 64, mostSlices: 1024 });

/** Where one workgroup a group is faster than slices: enough of them for a large GPU, and pieces of rows that are no waste to read. */
const wholeGroups = Object.freeze({ leastWorkgroups: 256, leastBytes: 40, mostPositions: 2304 });

/** The division that keeps most threads of a workgroup busy, the widest of the good ones. It follows from one image's shape alone. */
function divide(workgroupSize: number, positions: number, vectors: number): Division {
	const least = Math.ceil(vectors / workgroupSize);
	let best = { width: 0, chunks: 0, busy: 0 };
	for (let chunks = least; chunks <= 4 * least; chunks++) {
		const width = Math.ceil(vectors / chunks);
		const busy = ((vectors / chunks) * Math.floor(workgroupSize / width)) / workgroupSize;
		if (busy > best.busy + 0.05) best = { width, chunks, busy };
	}
	const { width, chunks } = best;
	const lanes = Math.floor(workgroupSize / width);
	const rows = Math.min(Math.max(Math.ceil(positions / wanted.slices), lanes * wanted.leastRows), lanes * wanted.mostRows);
	return { width, chunks, sliceRows: Math.max(rows, Math.ceil(positions / wanted.mostSlices)) };
}

/** How a request is computed: checked shapes and the division of the work. */
function prepare(graph: Graph, request: GroupNormRequest) {
	const { x, groups, affine } = request;
	const label = request.label ?? "groupNorm";
	const where = `${graph.path}/${label}`;
	const channels = x.shape.at(-1) ?? 0;
	const images = x.shape[0];
	const positions = elementCount(x.shape.slice(1, -1));
	if (x.shape.length < 3 || channels === 0 || channels % groups !== 0) {
		throw new Error(`${where}: x must be [images, positions, channels] with channels a multiple of ${groups}, got ${describe(x)}`);
	}
	for (const [name, tensor] of Object.entries(affine ?? {})) {
		if (elementCount(tensor.shape) !== channels) throw new Error(`${where}: ${name} must be [${channels}], got ${describe(tensor)}`);
	}
	const workgroupSize = graph.device.report.software ? 64 : 256;
	const lanes = vectorLanes(channels);
	const division = divide(workgroupSize, positions, channels / lanes);
	return {
		...{ label, channels, images, positions, workgroupSize },
		...division,
		flatX: reshape(x, [images, positions, channels]),
		/** The type of one binding's elements. */
		vector: (dtype: DType) => vectorType(dtype, lanes),
		/** Params and workgroups of a kernel that goes over all values. */
		over(part: Part) {
			const { width, chunks, sliceRows } = division;
			const workgroups = part.images * part.slices * chunks;
			return {
				params: {
					...{ positions: part.positions, channels: channels / lanes, sliceRows, slices: part.slices },
					...{ firstImage: part.firstImage, width, chunks, workgroups },
				},
				workgroups: foldedWorkgroups(workgroups),
			};
		},
	};
}

/**
 * The statistics of `groupNorm` with the weights: f32 [images, 2, channels], for every image and channel the mean and what the difference to
 * it is multiplied by; the norm is (x - mean) * factor + bias. From partial statistics in f32, without atomics; images do not influence
 * each other. Splits into windows as `groupNorm` does. Throws where shapes do not fit.
 */
export function groupNormFactors(graph: Graph, request: GroupNormRequest): Tensor {
	const { x, groups, eps, affine } = request;
	const prepared = prepare(graph, request);
	const ofGroups = factorsOfGroups(graph, request, prepared);
	if (ofGroups) return ofGroups;
	const { label, channels, images, positions, workgroupSize, sliceRows, flatX, vector, over } = prepared;
	const allSlices = Math.ceil(positions / sliceRows);
	const partials = graph.tensor(`${label} partials`, "f32", [images, allSlices, 2, channels]);
	const factors = graph.tensor(`${label} factors`, "f32", [images, 2, channels]);
	forEachPart(graph, flatX, [flatX], sliceRows, (part) => {
		const { params, workgroups } = over(part);
		graph.dispatch({
			shader: "dense/groupNormPartials",
			label: `${label} partials`,
			aliases: { Input: vector(x.dtype), Values: vector("f32") },
			overrides: { workgroupSize },
			tensors: { x: part.of(flatX), partials },
			params: { ...params, firstSlice: part.firstSlice, allSlices },
			workgroups,
		});
	});
	graph.dispatch({
		shader: "dense/groupNormStatistics",
		label: `${label} statistics`,
		overrides: { workgroupSize, affine: affine !== undefined },
		tensors: { partials, weight: affine?.weight, factors },
		params: {
			...{ positions, channels, groupChannels: channels / groups, sliceRows, slices: allSlices },
			...{ eps, groups, workgroups: images * groups },
		},
		workgroups: foldedWorkgroups(images * groups),
	});
	return factors;
}

/** The same in one pass, a workgroup an image and group, where those are many and small; undefined elsewhere. */
function factorsOfGroups(graph: Graph, request: GroupNormRequest, prepared: ReturnType<typeof prepare>): Tensor | undefined {
	const { x, groups, eps, affine } = request;
	const { label, channels, images, positions, flatX } = prepared;
	const groupChannels = channels / groups;
	const lanes = groupChannels % 4 === 0 ? 4 : 2;
	const workgroupSize = graph.device.report.software ? 64 : 128;
	const groupVectors = groupChannels / lanes;
	const { leastWorkgroups, leastBytes, mostPositions } = wholeGroups;
	const many = images * groups >= leastWorkgroups && groupChannels * elementBytes(x.dtype) >= leastBytes && positions <= mostPositions;
	const fits = positions * channels * elementBytes(x.dtype) <= graph.device.report.limits.maxStorageBufferBindingSize;
	if (!many || !fits || groupChannels % lanes !== 0 || groupVectors > workgroupSize) return undefined;
	const factors = graph.tensor(`${label} factors`, "f32", [images, 2, channels]);
	forEachWindow(graph, images, [flatX], (firstImage, count) => {
		graph.dispatch({
			shader: "dense/groupNormOfGroups",
			label: `${label} statistics`,
			aliases: { Input: vectorType(x.dtype, lanes), Values: vectorType("f32", lanes) },
			overrides: { workgroupSize, affine: affine !== undefined },
			tensors: { x: rowsOf(flatX, firstImage, count), weight: affine?.weight, factors },
			params: {
				...{ positions, channels, groupChannels, vectors: channels / lanes, groupVectors },
				...{ eps, groups, workgroups: count * groups, firstImage },
			},
			workgroups: foldedWorkgroups(count * groups),
		});
	});
	return factors;
}

/**
 * Normalises every image over its positions and the channels of a group: `groupNormFactors`, then one pass. Returns a tensor of x's shape.
 * Splits into windows of images, or of positions where one image is more than a binding shows. Throws where shapes do not fit.
 */
export function groupNorm(graph: Graph, request: GroupNormRequest): Tensor {
	const { x, affine } = request;
	const { label, workgroupSize, sliceRows, flatX, vector, over } = prepare(graph, request);
	const factors = groupNormFactors(graph, request);
	const y = graph.tensor(label, request.outputDtype ?? x.dtype, x.shape);
	const flatY = reshape(y, flatX.shape);
	forEachPart(graph, flatX, [flatX, flatY], sliceRows, (part) => {
		graph.dispatch({
			shader: "dense/groupNorm",
			label,
			aliases: { Input: vector(x.dtype), Values: vector("f32"), Output: vector(y.dtype) },
			overrides: { workgroupSize, affine: affine !== undefined, silu: request.silu ?? false },
			tensors: { x: part.of(flatX), factors, bias: affine?.bias, y: part.of(flatY) },
			mayBlock: vectorLanes(x.shape.at(-1) ?? 1) === 4 ? ["y"] : [],
			...over(part),
		});
	});
	return y;
}

/** Whole images, or some positions of one image, that fit one binding. */
interface Part {
	readonly firstImage: number;
	readonly images: number;
	readonly positions: number;
	readonly firstSlice: number;
	readonly slices: number;
	/** The part of a tensor [images, positions, channels]. */
	of(tensor: Tensor): Tensor;
}

function forEachPart(graph: Graph, shape: Tensor, tensors: readonly Tensor[], sliceRows: number, record: (part: Part) => void): void {
	const [images, positions, channels] = shape.shape;
	const limit = graph.device.report.limits.maxStorageBufferBindingSize;
	if (tensors.every((tensor) => positions * channels * elementBytes(tensor.dtype) <= limit)) {
		forEachWindow(graph, images, tensors, (firstImage, count) => {
			record({
				firstImage,
				images: count,
				positions,
				firstSlice: 0,
				slices: Math.ceil(positions / sliceRows),
				of: (tensor) => rowsOf(tensor, firstImage, count),
			});
		});
		return;
	}
	for (let image = 0; image < images; image++) {
		const of = (tensor: Tensor) => reshape(rowsOf(tensor, image, 1), [positions, channels]);
		forEachWindow(
			graph,
			positions,
			tensors.map(of),
			(start, count) => {
				const slices = Math.ceil(count / sliceRows);
				record({
					firstImage: image,
					images: 1,
					positions: count,
					firstSlice: start / sliceRows,
					slices,
					of: (tensor) => rowsOf(of(tensor), start, count),
				});
			},
			sliceRows,
		);
	}
}

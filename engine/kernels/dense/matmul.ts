import { blockRows, describe, elementCount, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph } from "../../graph/graph.ts";
import { forEachWindow, showGroups, tooLarge } from "../../graph/windows.ts";
import { forEachGatherBand } from "./gatherBands.ts";
import { layerNorm } from "./layerNorm.ts";
import { chooseMatmulKernel, hasTail } from "./matmulKernels.ts";
import { activationCode, batchedRows, type MatmulRequest, type RowNorm } from "./matmulRequest.ts";
import { forEachSegmentWindow, type RowSegments, segmentParams } from "./rowSegments.ts";

/**
 * y = residual + gate * activation(x weight^T + bias + rowBias), accumulated in f32. Returns [..., columns] with x's leading axes
 * (with neighbours: [images * rowsOut, columns]). Throws where shapes do not fit.
 */
export function matmul(graph: Graph, request: MatmulRequest): Tensor {
	return product(graph, request).y;
}

/** `matmul` into a new tensor, and its rows normalised: by the same kernel where one adds up sums in parts. */
export function matmulAndNorm(
	graph: Graph,
	request: Omit<MatmulRequest, "into">,
	norm: RowNorm,
): { readonly y: Tensor; readonly normed: Tensor } {
	const { y, normed } = product(graph, request, norm);
	return { y, normed: normed ?? layerNorm(graph, { x: y, ...norm }) };
}

/** Rows and columns of a product. Throws where x, the weights and the table do not fit each other. */
function sizesOf(where: string, request: MatmulRequest) {
	const { x, xColumn: column = 0, xRows, weight, weights = 1, neighbours, into } = request;
	const width = x.shape.at(-1) ?? 0;
	const rowsIn = elementCount(x.shape) / width;
	const columns = weight.shape[weights > 1 ? 1 : 0];
	const inner = elementCount(weight.shape) / columns / weights;
	const taps = neighbours ? neighbours.table.shape[1] : 1;
	const channels = inner / taps;
	if (!Number.isInteger(channels) || column + channels > width) {
		throw new Error(`${where}: weight ${describe(weight)} does not fit x ${describe(x)}${neighbours ? ` with ${taps} taps` : ""}`);
	}
	const images = neighbours ? rowsIn / neighbours.rowsIn : 1;
	if (!Number.isInteger(images)) throw new Error(`${where}: x ${describe(x)} is not whole images of ${neighbours?.rowsIn} rows`);
	const readRows = xRows ? xRows.count * xRows.segments : rowsIn;
	const imageRowsOut = neighbours ? neighbours.table.shape[0] : readRows;
	const rows = neighbours ? images * imageRowsOut : readRows;
	const weightRows = rows / weights;
	const wholeTiles = weightRows % batchedRows === 0 && (!neighbours || imageRowsOut % batchedRows === 0);
	if (weights > 1 && (weight.shape[0] !== weights || !wholeTiles || xRows || into?.rows)) {
		throw new Error(
			`${where}: ${weights} weights must be [${weights}, columns, channels] for x of as many times a multiple of ${batchedRows} rows, got ${describe(weight)} for ${describe(x)}`,
		);
	}
	return { width, rowsIn, columns, inner, taps, channels, images, readRows, rows, weightRows };
}

/** The product, and the norm where a kernel does both. */
function product(graph: Graph, request: MatmulRequest, norm?: RowNorm): { readonly y: Tensor; readonly normed: Tensor | undefined } {
	const { x, xColumn: column = 0, xRows, weight, weights = 1, bias, neighbours, rowBias, gate, residual, gated = false, into } = request;
	const label = request.label ?? "matmul";
	const where = `${graph.path}/${label}`;
	const { width, rowsIn, columns, inner, taps, channels, images, readRows, rows, weightRows } = sizesOf(where, request);
	const outputColumns = gated ? columns / 2 : columns;
	const leading = neighbours || xRows ? [rows] : x.shape.slice(0, -1);
	const y = into?.tensor ?? graph.tensor(label, request.outputDtype ?? x.dtype, [...leading, outputColumns]);
	const outputStride = y.shape.at(-1) ?? 0;
	const outputRows = elementCount(y.shape) / outputStride;
	if (into?.rows ? into.rows.count * into.rows.segments !== rows : outputRows !== rows) {
		throw new Error(`${where}: output must take ${rows} rows, got ${describe(y)}`);
	}
	if (residual && elementCount(residual.shape) !== outputRows * outputColumns) {
		throw new Error(`${where}: residual must be [${outputRows},${outputColumns}], got ${describe(residual)}`);
	}
	if (bias && elementCount(bias.shape) !== columns) throw new Error(`${where}: bias must be [${columns}], got ${describe(bias)}`);
	const outputColumn = into?.column ?? 0;
	const kernel = chooseMatmulKernel(graph.device.report, {
		rows,
		columns,
		gated,
		halves: x.dtype === "f16" && weight.dtype === "f16",
		channels,
		taps,
		gathered: neighbours !== undefined,
		weights,
		normed: norm !== undefined && columns <= mostNormed,
		inputs: [width, column],
		outputs: [
			outputStride,
			outputColumn,
			...[rowBias, gate].flatMap((group) => (group ? [group.tensor.shape.at(-1) ?? 0, group.column ?? 0] : [])),
		],
	});
	if (x.inBlocks && (column !== 0 || xRows || neighbours)) {
		throw new Error(`${where}: x ${describe(x)} must be read whole and in order`);
	}
	const flat = (tensor: Tensor, count: number): Tensor => ({ ...tensor, shape: [count, elementCount(tensor.shape) / count] });
	const flatX = flat(x, rowsIn);
	const flatY = flat(y, outputRows);
	const flatResidual = residual && flat(residual, outputRows);
	let normed: Tensor | undefined;
	const record = (start: number, count: number, shown: Shown) => {
		if (weights > 1 && start % batchedRows !== 0) throw tooLarge(graph, [flatX, flatY], batchedRows);
		const [shownBias, shownGate] = [rowBias, gate].map((part) => part && showGroups(graph, part, start, count));
		const columnTiles = Math.ceil(columns / kernel.tileColumns);
		const parts = kernel.parts ?? 1;
		const tail = kernel.takesTail === true && hasTail(count);
		const partRows = (tail ? Math.floor : Math.ceil)(count / kernel.tileRows) * kernel.tileRows;
		// What the kernels on subgroup matrices take in blocks too.
		const onMatrices = !kernel.takesAnyDtype;
		const wholeX = onMatrices && !neighbours && !xRows && channels === width;
		const wholeWeight = onMatrices && weight.shape.at(-1) === inner;
		const mayRead = [...(wholeX ? ["x"] : []), ...(wholeWeight ? ["weight"] : [])];
		const wholeY = onMatrices && outputColumns === outputStride && !into?.accumulate;
		const overrides = {
			gathered: neighbours !== undefined,
			blockedX: x.inBlocks ?? false,
			blockedWeight: weight.inBlocks ?? false,
			activation: activationCode[request.activation ?? "none"],
			hasBias: bias !== undefined,
			hasRowBias: rowBias !== undefined,
			hasGate: gate !== undefined,
			hasResidual: residual !== undefined,
			accumulate: into?.accumulate ?? false,
			segmentedX: shown.xRows !== undefined,
			segmentedY: shown.yRows !== undefined,
		};
		const params = {
			rows: count,
			columns,
			channels,
			taps,
			firstRow: start,
			inputStride: width,
			inputColumn: column,
			outputStride,
			outputColumn,
			imageRowsIn: shown.imageRowsIn ?? rows,
			imageRowsOut: shown.table?.shape[0] ?? readRows,
			rowBiasRows: rowBias?.rows ?? 1,
			rowBiasStride: rowBias?.tensor.shape.at(-1) ?? 0,
			rowBiasColumn: shownBias?.column ?? 0,
			gateRows: gate?.rows ?? 1,
			gateStride: gate?.tensor.shape.at(-1) ?? 0,
			gateColumn: shownGate?.column ?? 0,
			columnTiles,
			weightRows: weights > 1 ? weightRows : rows,
			parts,
			partRows,
			normEps: norm?.eps ?? 0,
			xSegment: segmentParams(shown.xRows),
			ySegment: segmentParams(shown.yRows),
		};
		const read = { x: shown.x, weight, neighbours: shown.table };
		const finished = { bias, rowBias: shownBias?.tensor, gate: shownGate?.tensor, residual: shown.residual, y: shown.y };
		const outputAliases = { Output: y.dtype, Residual: residual?.dtype ?? "f32" };
		const workgroups = foldedWorkgroups((parts * columnTiles * partRows) / kernel.tileRows);
		if (parts === 1) {
			graph.dispatch({
				shader: kernel.shader,
				label,
				aliases: { ...outputAliases, ...(kernel.takesAnyDtype && { Input: x.dtype, Weight: weight.dtype }) },
				overrides: { ...kernel.overrides, ...overrides, ...(kernel.takesTail && { tail }) },
				tensors: { ...read, ...finished },
				mayBlock: [...mayRead, ...(wholeY ? ["y"] : [])],
				params,
				workgroups,
			});
			return;
		}
		const byRows = kernel.takesTail === true;
		const partShape = byRows ? [count, columns] : [partRows, columnTiles * kernel.tileColumns];
		const sums = graph.tensor(`${label} sums`, "f32", [parts, ...partShape]);
		graph.dispatch({
			shader: kernel.shader,
			label,
			overrides: { ...kernel.overrides, ...overrides, ...(byRows && { tail, inParts: true }) },
			tensors: { ...read, y: sums },
			mayBlock: mayRead,
			params,
			workgroups,
		});
		const sumOverrides = { ...overrides, fragmentColumns: kernel.overrides.fragmentColumns, byRows };
		if (norm && count === rows && columns <= mostNormed) {
			normed = graph.tensor(norm.label, norm.outputDtype, y.shape);
			graph.dispatch({
				shader: "dense/matmulPartsNorm",
				label: `${label} sum, ${norm.label}`,
				aliases: { ...outputAliases, Normed: normed.dtype },
				overrides: {
					...sumOverrides,
					parts,
					affine: norm.affine !== undefined,
					workgroupSize: normThreads,
					vectorsPerThread: Math.ceil(columns / 4 / normThreads),
				},
				tensors: { sums, ...finished, normWeight: norm.affine?.weight, normBias: norm.affine?.bias, normed },
				params,
				workgroups: foldedWorkgroups(count),
			});
			return;
		}
		const workgroupSize = 128;
		graph.dispatch({
			shader: "dense/matmulPartsSum",
			label: `${label} sum`,
			aliases: outputAliases,
			overrides: { ...sumOverrides, workgroupSize },
			tensors: { sums, ...finished },
			mayBlock: wholeY ? ["y"] : [],
			params,
			workgroups: foldedWorkgroups(Math.ceil(elementCount(partShape) / 4 / workgroupSize)),
		});
	};
	const written = [flatY, ...(flatResidual ? [flatResidual] : [])];
	if (neighbours !== undefined && into?.rows) {
		// Rows of the output in segments: x, of one image, is shown whole.
		const { table, rowsIn: imageRowsIn } = neighbours;
		const sides = [
			{ tensors: [table], segments: undefined },
			{ tensors: written, segments: into.rows },
		] as const;
		if (images !== 1) throw new Error(`${where}: rows of the output are for one image, got ${images}`);
		forEachSegmentWindow(graph, rows, sides, (start, count, [read, { tensors, segments }]) => {
			if (read.segments) throw tooLarge(graph, [table], count);
			record(start, count, { x: flatX, y: tensors[0], residual: tensors[1], yRows: segments, table: read.tensors[0], imageRowsIn });
		});
	} else if (neighbours !== undefined) {
		forEachGatherBand(
			graph,
			{ x: flatX, rowsIn: neighbours.rowsIn, table: neighbours.table, rows: written, zerosForNone: true, label },
			(band) => {
				const [bandY, bandResidual] = band.rows;
				const yRows = band.before === 0 ? undefined : { first: band.before, count: band.count, stride: band.count, segments: 1 };
				const { table, imageRowsIn } = band;
				record(band.start, band.count, { x: band.x, y: bandY, residual: bandResidual, yRows, table, imageRowsIn });
			},
		);
	} else if (xRows || into?.rows) {
		const sides = [
			{ tensors: [flatX], segments: xRows },
			{ tensors: written, segments: into?.rows },
		] as const;
		forEachSegmentWindow(graph, rows, sides, (start, count, [read, { tensors, segments }]) => {
			record(start, count, { x: read.tensors[0], xRows: read.segments, y: tensors[0], residual: tensors[1], yRows: segments });
		});
	} else {
		// A bias of its own for every row is windowed with them.
		const ofRows = [rowBias, gate].flatMap((part) => (part?.rows === 1 ? [flat(part.tensor, rows)] : []));
		const show = (start: number, count: number) => {
			const [shownX, shownY, shownResidual] = [flatX, ...written].map((tensor) => rowsOf(tensor, start, count));
			record(start, count, { x: shownX, y: shownY, residual: shownResidual });
		};
		forEachWindow(graph, rows, [flatX, ...written, ...ofRows], show, weights > 1 ? batchedRows : x.inBlocks ? blockRows : 1);
	}
	return { y, normed };
}

/** Threads of matmulPartsNorm.wgsl for a row, and the most columns that they hold: 16 vectors each. */
const normThreads = 64;
const mostNormed = 4 * 16 * normThreads;

/** What one dispatch shows of the tensors. */
interface Shown {
	readonly x: Tensor;
	readonly y: Tensor;
	readonly residual: Tensor | undefined;
	readonly xRows?: RowSegments | undefined;
	readonly yRows?: RowSegments | undefined;
	readonly table?: Tensor;
	readonly imageRowsIn?: number;
}

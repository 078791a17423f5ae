import { type DType, describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph, type Scalar } from "../../graph/graph.ts";
import { forEachWindow } from "../../graph/windows.ts";
import { checkPerGroup } from "./layerNorm.ts";
import { type Activation, activationCode, type PerGroup } from "./matmulRequest.ts";
import { vectorLanes, vectorType } from "./vectorLanes.ts";

/** A tensor of x's shape, an f32 row [columns] that holds for all rows, or f32 rows shared by groups of rows. */
export type Operand = Tensor | PerGroup;

/** One arithmetic pass over a tensor: y = activation(scale * x * factor + addendScale * addend). */
export interface ElementwiseRequest {
	/** [..., columns], f32 or f16. */
	readonly x: Tensor;
	readonly factor?: Operand | undefined;
	readonly addend?: Operand | undefined;
	/** Default 1. */
	readonly scale?: number | Scalar | undefined;
	/** Default 1. */
	readonly addendScale?: number | Scalar | undefined;
	readonly activation?: Activation | undefined;
	/** Default: x's. */
	readonly outputDtype?: DType | undefined;
	/** Overwrites x and returns it. */
	readonly inPlace?: boolean | undefined;
	readonly label?: string | undefined;
}

/** Records the pass, in f32 maths; returns a tensor of x's shape, or x itself. Splits into windows of rows. Throws where shapes do not fit. */
export function elementwise(graph: Graph, request: ElementwiseRequest): Tensor {
	const { x, inPlace = false } = request;
	const label = request.label ?? "elementwise";
	const columns = x.shape.at(-1) ?? 1;
	const rows = elementCount(x.shape) / Math.max(1, columns);
	const y = inPlace ? x : graph.tensor(label, request.outputDtype ?? x.dtype, x.shape);
	const flatX = reshape(x, [rows, columns]);
	const flatY = reshape(y, [rows, columns]);
	const factor = resolve(`${graph.path}/${label}: factor`, request.factor, flatX);
	const addend = resolve(`${graph.path}/${label}: addend`, request.addend, flatX);
	const workgroupSize = graph.device.report.software ? 64 : 256;
	const shared = [factor, addend].flatMap(({ mode, stride, column }) => (mode === 2 ? [stride, column] : []));
	const lanes = vectorLanes(columns, ...shared);
	const whole = [factor, addend].flatMap((operand) => (operand.mode === 1 && operand.tensor ? [operand.tensor] : []));
	forEachWindow(graph, rows, [flatX, flatY, ...whole], (start, count) => {
		const window = (operand: Resolved) => (operand.mode === 1 && operand.tensor ? rowsOf(operand.tensor, start, count) : operand.tensor);
		graph.dispatch({
			shader: "dense/elementwise",
			label,
			aliases: {
				Input: vectorType(x.dtype, lanes),
				Factor: vectorType(factor.tensor?.dtype ?? "f32", lanes),
				Addend: vectorType(addend.tensor?.dtype ?? "f32", lanes),
				Values: vectorType("f32", lanes),
				Output: vectorType(y.dtype, lanes),
			},
			overrides: {
				workgroupSize,
				activation: activationCode[request.activation ?? "none"],
				factorMode: factor.mode,
				addendMode: addend.mode,
				inPlace,
			},
			tensors: {
				x: inPlace ? undefined : rowsOf(flatX, start, count),
				factor: window(factor),
				addend: window(addend),
				y: rowsOf(flatY, start, count),
			},
			params: {
				elements: (count * columns) / lanes,
				columns: columns / lanes,
				scale: request.scale ?? 1,
				addendScale: request.addendScale ?? 1,
				firstRow: start,
				factorRows: factor.rows,
				factorStride: factor.stride / lanes,
				factorColumn: factor.column / lanes,
				addendRows: addend.rows,
				addendStride: addend.stride / lanes,
				addendColumn: addend.column / lanes,
			},
			workgroups: foldedWorkgroups(Math.ceil((count * columns) / lanes / (4 * workgroupSize))),
		});
	});
	return y;
}

interface Resolved {
	/** 0 absent, 1 of x's shape, 2 shared by rows: the shader's modes. */
	readonly mode: number;
	readonly tensor: Tensor | undefined;
	readonly rows: number;
	readonly stride: number;
	readonly column: number;
}

function resolve(what: string, operand: Operand | undefined, x: Tensor): Resolved {
	const [rows, columns] = x.shape;
	if (operand === undefined) return { mode: 0, tensor: undefined, rows: 1, stride: 0, column: 0 };
	if ("shape" in operand && elementCount(operand.shape) === rows * columns) {
		return { mode: 1, tensor: reshape(operand, [rows, columns]), rows: 1, stride: 0, column: 0 };
	}
	if ("shape" in operand && elementCount(operand.shape) !== columns)
		throw new Error(`${what} must be [${rows},${columns}] or [${columns}], got ${describe(operand)}`);
	const part: PerGroup = "shape" in operand ? { tensor: reshape(operand, [1, columns]), rows: Math.max(1, rows) } : operand;
	checkPerGroup(what, part, rows, columns);
	return { mode: 2, tensor: part.tensor, rows: part.rows, stride: part.tensor.shape.at(-1) ?? 0, column: part.column ?? 0 };
}

/** x + addend, of x's type. */
export function add(graph: Graph, x: Tensor, addend: Operand, label = "add"): Tensor {
	return elementwise(graph, { x, addend, label });
}

/** activation(x), of x's type unless told otherwise. */
export function activate(graph: Graph, x: Tensor, activation: Activation, outputDtype: DType = x.dtype): Tensor {
	return elementwise(graph, { x, activation, outputDtype, label: activation });
}

/** x as another type, to nearest; x itself where it has that type. */
export function cast(graph: Graph, x: Tensor, dtype: DType): Tensor {
	return x.dtype === dtype ? x : elementwise(graph, { x, outputDtype: dtype, label: "cast" });
}

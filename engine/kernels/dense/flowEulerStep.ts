import { describe, elementCount, reshape, rowsOf, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph, type Scalar } from "../../graph/graph.ts";
import { allFit, bindingLimit, rowBytes, showRows, tooLarge } from "../../graph/windows.ts";

/** As many elements as the state has, from element `start` of a tensor on. */
export interface VelocityPart {
	readonly tensor: Tensor;
	/** Default 0. */
	readonly start?: number;
}

/** One step of Euler's method of a flow model. */
export interface FlowEulerStepRequest {
	/** The state, any shape, f32 or f16; overwritten. */
	readonly x: Tensor;
	/** The network's velocity with the condition, in the state's order. */
	readonly conditional: VelocityPart;
	/** The velocity without it; same type as the conditional one, and often the other half of the same tensor. */
	readonly unconditional?: VelocityPart | undefined;
	/**
	 * How the two are combined: "interpolated" u + guidance * (c - u) (stage 1), "extrapolated" (1 + guidance) * c - guidance * u
	 * (stage 2). Needs `unconditional`.
	 */
	readonly form?: "interpolated" | "extrapolated" | undefined;
	readonly guidance?: number | Scalar | undefined;
	/** t - t', positive when time runs from 1 to 0. */
	readonly dt: number | Scalar;
	/** Rounds every intermediate result and the state to float16, as the official stage 1 does with its latents. Default false. */
	readonly rounded?: boolean | undefined;
	readonly label?: string | undefined;
}

/** x <- x - dt * v in place; returns x. Throws where a velocity is shorter than the state. Splits into windows of elements. */
export function flowEulerStep(graph: Graph, request: FlowEulerStepRequest): Tensor {
	const { x, conditional, unconditional, form } = request;
	const label = request.label ?? "flowEulerStep";
	const elements = elementCount(x.shape);
	for (const part of [conditional, unconditional]) {
		if (part && elementCount(part.tensor.shape) < (part.start ?? 0) + elements) {
			throw new Error(
				`${graph.path}/${label}: velocity ${describe(part.tensor)} from element ${part.start ?? 0} is shorter than x ${describe(x)}`,
			);
		}
	}
	if ((form === undefined) !== (unconditional === undefined)) throw new Error(`${graph.path}/${label}: form and unconditional go together`);
	const workgroupSize = 64;
	const flat = (tensor: Tensor) => reshape(tensor, [elementCount(tensor.shape), 1]);
	// The state's windows start aligned; a velocity begins anywhere, so that some elements before it are shown with it.
	const parts = [conditional, ...(unconditional ? [unconditional] : [])];
	const fitting = allFit(graph, [x, ...parts.map(({ tensor }) => tensor)]);
	const fewest = Math.min(
		...[x, ...parts.map(({ tensor }) => tensor)].map((tensor) => Math.floor(bindingLimit(graph) / rowBytes(flat(tensor)))),
	);
	const step = fitting ? elements : Math.floor((fewest - 256) / 256) * 256;
	if (!(step > 0 || elements === 0)) throw tooLarge(graph, [flat(x)], 256);
	for (let start = 0; start < elements; start += step) {
		const count = Math.min(step, elements - start);
		const velocities = parts.map((part) => {
			if (fitting) return { tensor: part.tensor, first: part.start ?? 0 };
			const from = (part.start ?? 0) + start;
			const { tensors, first } = showRows([flat(part.tensor)], from, from + count);
			return { tensor: tensors[0], first: from - first };
		});
		graph.dispatch({
			shader: "dense/flowEulerStep",
			label,
			aliases: { State: x.dtype, Velocity: conditional.tensor.dtype },
			overrides: { workgroupSize, form: form === undefined ? 0 : form === "interpolated" ? 1 : 2, rounded: request.rounded ?? false },
			tensors: { x: rowsOf(flat(x), start, count), conditional: velocities[0].tensor, unconditional: velocities[1]?.tensor },
			params: {
				elements: count,
				conditionalStart: velocities[0].first,
				unconditionalStart: velocities[1]?.first ?? 0,
				dt: request.dt,
				guidance: request.guidance ?? 0,
			},
			workgroups: foldedWorkgroups(Math.ceil(count / workgroupSize)),
		});
	}
	return x;
}

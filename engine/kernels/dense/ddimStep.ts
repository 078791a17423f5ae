import { describe, elementCount, type Tensor } from "../../gpu/tensor.ts";
import { foldedWorkgroups, type Graph, type Scalar } from "../../graph/graph.ts";
import type { VelocityPart } from "./flowEulerStep.ts";

/** What the network predicts: the noise, Salimans & Ho's velocity, or the clean sample. */
export type PredictionType = "epsilon" | "v_prediction" | "sample";

/** The numbers of one step, as samplers/ddim.ts tabulates them; as scalars of the graph they change from run to run. */
export interface DdimCoefficients<Number = number> {
	/** Square roots of the cumulative alpha and of what is missing to 1, at this timestep. */
	readonly sqrtAlpha: Number;
	readonly sqrtBeta: Number;
	/** Square root of the cumulative alpha at the previous (cleaner) timestep. */
	readonly sqrtAlphaPrevious: Number;
	/** What the predicted noise is multiplied with. */
	readonly direction: Number;
	/** What fresh noise is multiplied with; 0 when eta is. */
	readonly sigma: Number;
}

/** The coefficients as scalars of the graph under their names, so that a `DdimCoefficients` is what a run is given. */
export function ddimScalars(graph: Graph): DdimCoefficients<Scalar> {
	const scalar = (name: keyof DdimCoefficients) => graph.scalar(name, 1);
	return {
		sqrtAlpha: scalar("sqrtAlpha"),
		sqrtBeta: scalar("sqrtBeta"),
		sqrtAlphaPrevious: scalar("sqrtAlphaPrevious"),
		direction: scalar("direction"),
		sigma: scalar("sigma"),
	};
}

/** One step of DDIM. */
export interface DdimStepRequest {
	/** The state, any shape, f32; overwritten. */
	readonly x: Tensor;
	/** The network's output with the condition, in the state's order. */
	readonly conditional: VelocityPart;
	/** The output without it, for u + guidance * (c - u); same type as the conditional one. */
	readonly unconditional?: VelocityPart | undefined;
	readonly guidance?: number | Scalar | undefined;
	/** Fresh normal numbers, f32, in the state's order; absent when eta is 0. */
	readonly noise?: VelocityPart | undefined;
	readonly prediction: PredictionType;
	readonly step: DdimCoefficients<number | Scalar>;
	/** Clamps the clean sample to +- this; absent: not at all. */
	readonly clipRange?: number | undefined;
	readonly label?: string | undefined;
}

/** x <- the state at the previous timestep, in place; returns x. Throws where an operand is shorter than the state. Not split into windows. */
export function ddimStep(graph: Graph, request: DdimStepRequest): Tensor {
	const { x, conditional, unconditional, noise, step } = request;
	const label = request.label ?? "ddimStep";
	const elements = elementCount(x.shape);
	for (const part of [conditional, unconditional, noise]) {
		if (part && elementCount(part.tensor.shape) < (part.start ?? 0) + elements) {
			throw new Error(`${graph.path}/${label}: ${describe(part.tensor)} from element ${part.start ?? 0} is shorter than x ${describe(x)}`);
		}
	}
	if ((request.guidance === undefined) !== (unconditional === undefined)) {
		throw new Error(`${graph.path}/${label}: guidance and unconditional go together`);
	}
	const workgroupSize = 64;
	graph.dispatch({
		shader: "dense/ddimStep",
		label,
		aliases: { Prediction: conditional.tensor.dtype },
		overrides: {
			workgroupSize,
			prediction: { epsilon: 0, v_prediction: 1, sample: 2 }[request.prediction],
			guided: unconditional !== undefined,
			noisy: noise !== undefined,
			clipped: request.clipRange !== undefined,
		},
		tensors: { x, conditional: conditional.tensor, unconditional: unconditional?.tensor, noise: noise?.tensor },
		params: {
			elements,
			conditionalStart: conditional.start ?? 0,
			unconditionalStart: unconditional?.start ?? 0,
			noiseStart: noise?.start ?? 0,
			guidance: request.guidance ?? 0,
			sqrtAlpha: step.sqrtAlpha,
			sqrtBeta: step.sqrtBeta,
			sqrtAlphaPrevious: step.sqrtAlphaPrevious,
			direction: step.direction,
			sigma: step.sigma,
			clipRange: request.clipRange ?? 0,
		},
		workgroups: foldedWorkgroups(Math.ceil(elements / workgroupSize)),
	});
	return x;
}

import type { Weights } from "../../weights/weights.ts";
import type { StageTwoStep } from "../samplers/flowEuler.ts";
import { runDenoisingSteps } from "./denoisingSteps.ts";
import { type Part, type PartContext, runPart } from "./part.ts";
import { runSlatCondition, runSlatStep, type SlatSampling, type SlatSamplingExecutables } from "./slatSampling.ts";

/** A recorded sampling as a part of stage 2. */
export function latentFlowPart(weights: Weights, sampling: SlatSampling): Part {
	const steps = [sampling.guided, sampling.plain].flatMap((step) => (step ? [step.graph] : []));
	return { name: "latent flow", weights: [weights], graphs: [sampling.conditionGraph, ...steps], tensors: sampling.resident };
}

/** A step takes 20 ms on an H200, and the host is away for 40 once in a run, to collect what a part before has left: 7 % of the loop. */
const stepsAhead = 3;

/** Runs it from `noise` [n, channels]; gives the latents [n, channels] before normalisation is undone. */
export function runLatentFlow(
	context: PartContext,
	part: Part,
	sampling: SlatSampling,
	inputs: { readonly cond: Float32Array; readonly noise: Float32Array; readonly schedule: readonly StageTwoStep[] },
): Promise<Float32Array> {
	return runPart(context, part, async ([condition, ...steps], report) => {
		const ofStep = (has: unknown) => (has === undefined ? undefined : steps.shift());
		const executables: SlatSamplingExecutables = { condition, guided: ofStep(sampling.guided), plain: ofStep(sampling.plain) };
		await runSlatCondition(sampling, executables, inputs);
		const [latents] = await runDenoisingSteps(context, report, {
			name: part.name,
			schedule: inputs.schedule,
			state: [{ tensor: sampling.state, noise: inputs.noise }],
			run: (step) => runSlatStep(sampling, executables, step),
			ahead: stepsAhead,
		});
		return latents;
	});
}

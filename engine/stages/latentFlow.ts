import type { Weights } from "../../weights/weights.ts";
import { readTensor, writeTensor } from "../gpu/transfer.ts";
import type { Executable } from "../graph/executable.ts";
import type { StageTwoStep } from "../samplers/flowEuler.ts";
import { requireFinite } from "./finite.ts";
import { type Part, type PartContext, runPart, stopIfAborted } from "./part.ts";
import { runSlatSampling, type SlatSampling, type SlatSamplingExecutables } from "./slatSampling.ts";

/** A recorded sampling as a part of stage 2. */
export function latentFlowPart(weights: Weights, sampling: SlatSampling): Part {
	const steps = [sampling.guided, sampling.plain].flatMap((step) => (step ? [step.graph] : []));
	return { name: "latent flow", weights: [weights], graphs: [sampling.conditionGraph, ...steps], tensors: sampling.resident };
}

/** Runs it from `noise` [n, channels]; gives the latents [n, channels] before normalisation is undone. */
export function runLatentFlow(
	context: PartContext,
	part: Part,
	sampling: SlatSampling,
	inputs: { readonly cond: Float32Array; readonly noise: Float32Array; readonly schedule: readonly StageTwoStep[] },
): Promise<Float32Array> {
	const { device } = context;
	return runPart(context, part, async ([condition, ...steps], report) => {
		const ofStep = (has: unknown) => (has === undefined ? undefined : steps.shift());
		const executables: SlatSamplingExecutables = { condition, guided: ofStep(sampling.guided), plain: ofStep(sampling.plain) };
		const { schedule } = inputs;
		await runSlatSampling(device, sampling, executables, inputs, async (step) => {
			await device.idle();
			report(step.index + 1, schedule.length);
			stopIfAborted(context);
		});
		const latents = await readTensor(device, sampling.state);
		await requireFinite(device, part.name, latents, async () => {
			// From the beginning to the last step whose result is finite; what follows is prepared to run once more.
			let before = inputs.noise;
			let found: Executable | undefined;
			await runSlatSampling(device, sampling, executables, inputs, async (step) => {
				const after = await readTensor(device, sampling.state);
				if (found !== undefined) return;
				if (after.every(Number.isFinite)) before = after;
				else found = step.guided ? executables.guided : executables.plain;
			});
			writeTensor(device, sampling.state, before);
			return found ?? condition;
		});
		return latents;
	});
}

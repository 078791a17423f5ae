import type { Tensor } from "../gpu/tensor.ts";
import { readTensor, writeTensor } from "../gpu/transfer.ts";
import type { Executable } from "../graph/executable.ts";
import { requireFinite } from "./finite.ts";
import { type PartContext, type StepReport, stopIfAborted } from "./part.ts";

/** A state on the GPU, and the steps that change it. */
export interface DenoisingSteps<Step> {
	/** Of the part, for reports and errors. */
	readonly name: string;
	readonly schedule: readonly Step[];
	/** The tensors of the state, each with the noise it begins with. */
	readonly state: readonly { readonly tensor: Tensor; readonly noise: Float32Array }[];
	/** Submits a step and gives what ran; in order, and again in order from the first where a result is not finite. */
	readonly run: (step: Step) => Promise<Executable>;
	/** Gives what is to see the first tensor's values after a step; undefined: nobody, and nothing is read back. */
	readonly watched?: ((step: Step) => ((values: Float32Array) => void) | undefined) | undefined;
	/** Steps that are submitted and not waited for, by default 1; a stop waits for them. */
	readonly ahead?: number;
}

/**
 * Writes the noise, runs all steps and gives the values of the state. Rejects with code "device" where one of them is not finite, naming
 * the first layer that wrote such a value.
 */
export async function runDenoisingSteps<Step>(
	context: PartContext,
	report: StepReport,
	{ name, schedule, state, run, watched, ahead = 1 }: DenoisingSteps<Step>,
): Promise<readonly Float32Array[]> {
	const { device } = context;
	const write = (values: readonly Float32Array[]) => {
		for (const [i, { tensor }] of state.entries()) writeTensor(device, tensor, values[i]);
	};
	const read = async () => {
		const values: Float32Array[] = [];
		for (const { tensor } of state) values.push(await readTensor(device, tensor));
		return values;
	};
	const noise = state.map((part) => part.noise);
	write(noise);
	// Steps are recorded while those before run; no more than `ahead`, so that a stop does not wait long.
	const running: Promise<unknown>[] = [device.idle()];
	const oldestDone = async (submitted: number) => {
		await running.shift();
		report(submitted - running.length, schedule.length);
	};
	for (const [index, step] of schedule.entries()) {
		stopIfAborted(context);
		await run(step);
		const see = watched?.(step);
		const seen = see === undefined ? device.idle() : readTensor(device, state[0].tensor).then(see);
		// A run that ends in between does not wait for it.
		seen.catch(() => undefined);
		running.push(seen);
		if (running.length > ahead) await oldestDone(index + 1);
	}
	while (running.length > 0) await oldestDone(schedule.length);
	const result = await read();
	for (const values of result) {
		await requireFinite(device, name, values, async () => {
			// From the beginning to the first step whose result is not finite, which is prepared to run once more.
			let before: readonly Float32Array[] = noise;
			let executable: Executable | undefined;
			write(noise);
			for (const step of schedule) {
				executable = await run(step);
				const after = await read();
				if (!after.every((part) => part.every(Number.isFinite))) break;
				before = after;
			}
			write(before);
			if (executable === undefined) throw new Error(`${name}: no steps`);
			return executable;
		});
	}
	return result;
}

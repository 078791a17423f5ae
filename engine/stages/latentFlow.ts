import type { Weights } from "../../weights/weights.ts";
import { createTensor, reshape, type Tensor } from "../gpu/tensor.ts";
import { readTensor, writeTensor } from "../gpu/transfer.ts";
import type { Executable } from "../graph/executable.ts";
import { Graph } from "../graph/graph.ts";
import { flowEulerStep } from "../kernels/dense/flowEulerStep.ts";
import { createSlatFlowCondition, recordSlatFlow, recordSlatFlowCondition, type SlatFlow } from "../models/slatFlow.ts";
import { slatFlowGeometry } from "../models/slatFlowGeometry.ts";
import type { StageTwoStep } from "../samplers/flowEuler.ts";
import { timestepEmbedding } from "../samplers/timestepEmbedding.ts";
import { requireFinite } from "./finite.ts";
import { type Part, type PartContext, runPart, stopIfAborted } from "./part.ts";

/** The structured-latent flow as a part: condition once, then one of two graphs per step, the state staying on the GPU. */
export interface LatentFlow {
	readonly part: Part;
	readonly state: Tensor;
	readonly inputs: { readonly condition: Tensor; readonly guided: Tensor; readonly unguided: Tensor };
}

/** Records the flow over `coords` [n, 4] under `tokens` condition tokens. */
export function prepareLatentFlow(
	context: PartContext,
	weights: Weights,
	model: SlatFlow,
	request: { readonly coords: Int32Array; readonly tokens: number; readonly guidance: number },
): LatentFlow {
	const { device } = context;
	const { inChannels, block, ioBlocks } = model.config;
	const voxels = request.coords.length / 4;
	const geometry = slatFlowGeometry(request.coords, model.config.ioChannels.length);
	const condition = createSlatFlowCondition(model, request.tokens);
	const state = createTensor("latent", "f32", [voxels, inChannels], "resident");
	const conditionGraph = new Graph(device, `latent flow condition (${ioBlocks} blocks a level)`);
	const conditionInput = conditionGraph.input("condition", "f32", [request.tokens, block.contextChannels]);
	recordSlatFlowCondition(conditionGraph, model, conditionInput, condition);
	const step = (predictions: "both" | "conditional") => {
		const graph = new Graph(device, `latent flow, ${predictions}`);
		const sinusoid = graph.input("sinusoid", "f32", [1, 256]);
		const velocity = recordSlatFlow(graph, model, { x: state, sinusoid, condition, predictions, geometry });
		const flat = reshape(velocity, [velocity.shape[0] * velocity.shape[1]]);
		flowEulerStep(graph, {
			x: state,
			conditional: { tensor: flat },
			...(predictions === "both" && {
				unconditional: { tensor: flat, start: voxels * inChannels },
				form: "extrapolated" as const,
				guidance: request.guidance,
			}),
			dt: graph.scalar("dt", 0),
		});
		return { graph, sinusoid };
	};
	const guided = step("both");
	const unguided = step("conditional");
	return {
		part: {
			name: "latent flow",
			weights: [weights],
			graphs: [conditionGraph, guided.graph, unguided.graph],
			tensors: [state, ...condition.keyValues, ...condition.zeros],
		},
		state,
		inputs: { condition: conditionInput, guided: guided.sinusoid, unguided: unguided.sinusoid },
	};
}

/** Runs the flow from `noise` [n, channels]; gives the latents [n, channels] before normalisation is undone. */
export function runLatentFlow(
	context: PartContext,
	flow: LatentFlow,
	values: { readonly condition: Float32Array; readonly noise: Float32Array; readonly schedule: readonly StageTwoStep[] },
): Promise<Float32Array> {
	const { device } = context;
	return runPart(context, flow.part, async ([condition, guided, unguided], report) => {
		condition.write(flow.inputs.condition, values.condition);
		await condition.run();
		const executableOf = (step: StageTwoStep) => (step.guided ? guided : unguided);
		const prepare = (step: StageTwoStep): Executable => {
			const executable = executableOf(step);
			executable.write(step.guided ? flow.inputs.guided : flow.inputs.unguided, timestepEmbedding([step.timestep], 256));
			return executable;
		};
		const runStep = (step: StageTwoStep) => prepare(step).run({ dt: step.timeStep });
		writeTensor(device, flow.state, values.noise);
		for (const step of values.schedule) {
			stopIfAborted(context);
			await runStep(step);
			await device.idle();
			report(step.index + 1, values.schedule.length);
		}
		const latents = await readTensor(device, flow.state);
		await requireFinite(device, flow.part.name, latents, async () => {
			// From the beginning to the first step whose result is not finite, which then is run once more.
			writeTensor(device, flow.state, values.noise);
			for (const step of values.schedule) {
				const before = await readTensor(device, flow.state);
				await runStep(step);
				if ((await readTensor(device, flow.state)).every(Number.isFinite)) continue;
				writeTensor(device, flow.state, before);
				return prepare(step);
			}
			return executableOf(values.schedule[0]);
		});
		return latents;
	});
}

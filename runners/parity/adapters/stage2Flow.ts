import type { Storage, Tensor } from "../../../engine/gpu/tensor.ts";
import { allocate, release, writeTensor } from "../../../engine/gpu/transfer.ts";
import { compileGraph, type Executable } from "../../../engine/graph/executable.ts";
import type { Graph } from "../../../engine/graph/graph.ts";
import {
	conditionTensors,
	createSlatFlowCondition,
	declareSlatFlow,
	readSlatFlowConfig,
	recordSlatFlow,
	recordSlatFlowCondition,
} from "../../../engine/models/slatFlow.ts";
import { slatFlowGeometry } from "../../../engine/models/slatFlowGeometry.ts";
import { flowTimes, stageTwoSchedule } from "../../../engine/samplers/flowEuler.ts";
import { timestepEmbedding } from "../../../engine/samplers/timestepEmbedding.ts";
import { denormalizedLatents, recordSlatSampling, runSlatCondition, runSlatStep } from "../../../engine/stages/slatSampling.ts";
import { Weights } from "../../../weights/weights.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { configOf } from "../configOf.ts";
import { recordedRun } from "../recordedRun.ts";
import { coordinatesOf, keptRows } from "../sparseRows.ts";

async function runSlatFlow(context: ParityContext): Promise<ParityOutputs> {
	const device = await context.device();
	const config = readSlatFlowConfig(configOf(context.config.args, `${context.name}/case.json`));
	const coords = coordinatesOf(await context.input("coords"));
	const [x, cond, time] = [await context.input("x"), await context.input("cond"), await context.input("t")];
	const geometry = slatFlowGeometry(coords, config.ioChannels.length);
	const tokens = cond.shape[1];
	const owned: Storage[] = [];
	const values = await recordedRun(
		context,
		(weights) => declareSlatFlow(weights, config, context.dtype),
		({ graph, input }, model) => {
			const condition = createSlatFlowCondition(model, tokens, 1);
			for (const { storage } of conditionTensors(condition)) {
				allocate(device, storage);
				owned.push(storage);
			}
			const inputs = {
				cond: input("cond", "f32", [tokens, config.block.contextChannels], cond.data),
				sinusoids: input("sinusoids", "f32", [1, 256], timestepEmbedding([...time.data], 256)),
			};
			graph.scope("act", () => recordSlatFlowCondition(graph, model, inputs, condition));
			const y = graph.scope("act", () =>
				recordSlatFlow(graph, model, {
					x: input("x", "f32", x.shape, x.data),
					step: input("step", "i32", [1], Int32Array.of(0)),
					condition,
					predictions: "conditional",
					geometry,
				}),
			);
			return { y };
		},
	).finally(() => {
		for (const storage of owned) release(device, storage);
	});
	const y = values.get("y");
	return new Map<string, HostTensor>(values).set(
		"y",
		keptRows(y ?? { shape: [0, 0], data: new Float32Array(0) }, context.expected("rows").data),
	);
}

/** The whole loop with guidance, and what every call of the network gave. */
async function runSlatSampler(context: ParityContext): Promise<ParityOutputs> {
	const device = await context.device();
	const { steps, rescale_t, cfg_strength, cfg_interval } = context.meta.sampler.params;
	const config = readSlatFlowConfig(configOf(context.config.args, `${context.name}/case.json`));
	const coords = coordinatesOf(await context.input("coords"));
	const [noise, cond] = [await context.input("noise"), await context.input("cond")];
	const [mean, deviation] = [await context.input("slat_mean"), await context.input("slat_std")];
	const schedule = stageTwoSchedule(steps, rescale_t, cfg_interval);
	const weights = Weights.open(context.weights);
	const model = declareSlatFlow(weights, config, context.dtype);
	const geometry = slatFlowGeometry(coords, config.ioChannels.length);
	const sampling = recordSlatSampling(device, model, { geometry, tokens: cond.shape[1], schedule, guidance: cfg_strength });
	const executables: Executable[] = [];
	const compiled = async (graph: Graph) => {
		const executable = await compileGraph(graph);
		executables.push(executable);
		return executable;
	};
	const outputs = new Map<string, HostTensor>();
	const calls: { time: number; conditional: boolean }[] = [];
	try {
		await weights.load(device);
		for (const { storage } of sampling.resident) allocate(device, storage);
		const condition = await compiled(sampling.conditionGraph);
		const guided = sampling.guided && (await compiled(sampling.guided.graph));
		const plain = sampling.plain && (await compiled(sampling.plain.graph));
		const read = (tensor: Tensor) => condition.read(tensor);
		const ready = { condition, guided, plain };
		writeTensor(device, sampling.state, Float32Array.from(noise.data));
		await runSlatCondition(sampling, ready, { cond: Float32Array.from(cond.data), schedule });
		for (const step of schedule) {
			await runSlatStep(sampling, ready, step);
			const velocity = await read((step.guided ? sampling.guided : sampling.plain)?.velocity ?? sampling.state);
			for (let start = 0; start < velocity.length; start += noise.data.length) {
				outputs.set(`call_${calls.length}`, { shape: noise.shape, data: velocity.slice(start, start + noise.data.length) });
				calls.push({ time: step.timestep, conditional: start === 0 });
			}
			outputs.set(`x_${step.index}`, { shape: noise.shape, data: await read(sampling.state) });
		}
		const samples = await read(sampling.state);
		return outputs
			.set("samples", { shape: noise.shape, data: samples })
			.set("slat", { shape: noise.shape, data: denormalizedLatents(samples, [...mean.data], [...deviation.data]) })
			.set("t_seq", { shape: [steps + 1], data: flowTimes(steps, rescale_t) })
			.set("call_t", { shape: [calls.length], data: Float32Array.from(calls, (call) => call.time) })
			.set("call_is_cond", { shape: [calls.length], data: Int32Array.from(calls, (call) => Number(call.conditional)) });
	} finally {
		for (const executable of executables) executable.destroy();
		for (const { storage } of sampling.resident) release(device, storage);
		weights.release();
	}
}

const everything = (names: readonly string[]) => names.filter((name) => name !== "rows");

/** The golden cases of the latent flow. */
export const adapters: Adapters = {
	slat_flow: { runs: "device", required: everything, run: runSlatFlow },
	slat_sampler: { runs: "device", required: everything, run: runSlatSampler },
};

import type { Device } from "../../../engine/gpu/device.ts";
import { allocate, release, writeTensor } from "../../../engine/gpu/transfer.ts";
import { compileGraph } from "../../../engine/graph/executable.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { timestepSinusoidWidth } from "../../../engine/layers/timestepEmbedder.ts";
import { readCrossSpaceConfig } from "../../../engine/models/crossSpaceConfig.ts";
import { type CrossSpaceDiffusion, declareCrossSpaceDiffusion, recordCrossSpaceStep } from "../../../engine/models/crossSpaceDiffusion.ts";
import {
	type CrossSpaceState,
	createCrossSpaceState,
	recordCrossSpaceConditioning,
	runCrossSpaceStep,
	stateTensors,
} from "../../../engine/models/crossSpaceState.ts";
import { timestepEmbedding } from "../../../engine/samplers/timestepEmbedding.ts";
import { Weights } from "../../../weights/weights.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { configOf } from "../configOf.ts";
import { imagesFromOfficial, imagesToOfficial, repeated, rowsFromOfficial, rowsToOfficial, withNoiseLevels } from "../officialBatch.ts";
import { permuted, type RecordedValues, runOnce } from "../recordedRun.ts";

const halves = 2;

async function runUnet(context: ParityContext): Promise<ParityOutputs> {
	const device = await context.device();
	const latentSize = (await context.input("latents")).shape[2];
	const official = readCrossSpaceConfig(configOf(context.config["config.json"], "config.json"), configOf(context.config, "case.json"));
	const config = { ...official, latentSize };
	const weights = Weights.open(context.weights);
	const model = declareCrossSpaceDiffusion(weights, config, context.dtype);
	const [, promptTokens] = (await context.input("prompt_embeds")).shape;
	const [, conditionTokens] = (await context.input("trellis_cond")).shape;
	const state = createCrossSpaceState(model, { steps: 1, promptTokens, conditionTokens });
	await weights.load(device);
	for (const { storage } of stateTensors(state)) allocate(device, storage);
	try {
		const conditioning = await runConditioning(device, context, model, state);
		const step = await runStep(device, context, model, state);
		return officialOutputs(context, model, new Map([...conditioning, ...step]));
	} finally {
		for (const { storage } of stateTensors(state)) release(device, storage);
		weights.release();
	}
}

async function runConditioning(
	device: Device,
	context: ParityContext,
	model: CrossSpaceDiffusion,
	state: CrossSpaceState,
): Promise<RecordedValues> {
	const { dtype } = context;
	const images = imagesFromOfficial(await context.input("image_latents"), 1);
	const labels = rowsFromOfficial(withNoiseLevels(await context.input("clip_image_embeds"), 0), 1);
	const prompt = rowsFromOfficial(await context.input("prompt_embeds"), 1);
	const condition = await context.input("trellis_cond");
	const { unet_timestep: unetTimestep, trellis_t: structureTimestep } = context.meta.timestep as Record<string, number>;
	const width = model.config.unet.timeSinusoidChannels;
	return runOnce(device, context, ({ graph, input }) => {
		recordCrossSpaceConditioning(graph, model, state, {
			imageLatents: input("image latents", "f32", images.shape, images.data),
			classLabels: input("class labels", "f32", labels.shape, labels.data),
			prompt: input("prompt", dtype, prompt.shape, prompt.data),
			condition: input("condition", dtype, condition.shape.slice(1), condition.data),
			unetSinusoids: input("unet time", "f32", [1, width], timestepEmbedding([unetTimestep], width)),
			structureSinusoids: input(
				"structure time",
				"f32",
				[1, timestepSinusoidWidth],
				timestepEmbedding([structureTimestep], timestepSinusoidWidth),
			),
		});
		return {};
	});
}

async function runStep(
	device: Device,
	context: ParityContext,
	model: CrossSpaceDiffusion,
	state: CrossSpaceState,
): Promise<Map<string, HostTensor>> {
	writeTensor(device, state.latents, imagesFromOfficial(await context.input("latents"), 1).data);
	writeTensor(device, state.structureLatent, permuted(await context.input("trellis_latent"), [0, 2, 3, 4, 1]).data);
	const graph = new Graph(device, context.name, { tapped: (name) => context.outputNames.includes(name) });
	const step = recordCrossSpaceStep(graph, model, state, { dt: graph.scalar("dt", 0), guidance: 3 });
	graph.output(step.velocity);
	graph.output(step.structureVelocity);
	const executable = await compileGraph(graph);
	try {
		await runCrossSpaceStep(executable, step, 0, 0);
		const values = new Map<string, HostTensor>();
		for (const [name, tensor] of [...graph.taps, ["v_pred", step.velocity] as const, ["v_pred_trellis", step.structureVelocity] as const]) {
			values.set(name, { shape: tensor.shape, data: await executable.read(tensor) });
		}
		context.note(`step: ${executable.dispatchCount} dispatches, ${(executable.plan.byteLength / 2 ** 20).toFixed(1)} MiB planned`);
		return values;
	} finally {
		executable.destroy();
	}
}

/** Our layouts and batch order as upstream has them. */
function officialOutputs(context: ParityContext, model: CrossSpaceDiffusion, values: ReadonlyMap<string, HostTensor>): ParityOutputs {
	const { resolution } = model.config.structure;
	const outputs = new Map<string, HostTensor>();
	for (const [name, value] of values) {
		const whole = context.meta.outputs[name].shape as readonly number[];
		if (value.shape.length === 4) outputs.set(name, imagesToOfficial(value, halves));
		else if (name === "v_pred_trellis") {
			outputs.set(name, permuted(value, [0, 4, 1, 2, 3], [halves, resolution, resolution, resolution, value.shape[1]]));
		} else if (name === "class_embedding") outputs.set(name, rowsToOfficial(value, halves));
		// What is the same in both halves, or for every image, is computed once.
		else outputs.set(name, { shape: whole, data: repeated(value.data, whole) });
	}
	return outputs;
}

/** The golden cases of the whole 2D-3D network. */
export const adapters: Adapters = {
	unet_2d3d: { runs: "device", required: () => ["v_pred", "v_pred_trellis"], run: runUnet },
	unet_2d3d_l4: { runs: "device", required: () => ["v_pred", "v_pred_trellis"], run: runUnet },
};

import { roundToFloat16 } from "../../../engine/gpu/float16.ts";
import { allocate, release, writeTensor } from "../../../engine/gpu/transfer.ts";
import { compileGraph } from "../../../engine/graph/executable.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { type Image, imageOf } from "../../../engine/image/image.ts";
import {
	createMultiviewState,
	multiviewStateTensors,
	recordMultiviewConditioning,
	stepRows,
} from "../../../engine/models/multiviewState.ts";
import { declareMultiviewUnet } from "../../../engine/models/multiviewUnet.ts";
import { readPshumanConfig, recordPshumanStep } from "../../../engine/models/pshumanDiffusion.ts";
import { cumulativeAlphas, noiseScheduleOf } from "../../../engine/samplers/diffusionSchedule.ts";
import { timestepEmbedding } from "../../../engine/samplers/timestepEmbedding.ts";
import { concatenated, split } from "../../../engine/stages/imageArrangement.ts";
import { noiseImageEmbeddings } from "../../../engine/stages/imageNoise.ts";
import { bareContext } from "../../../engine/stages/part.ts";
import { runPshumanOn } from "../../../engine/stages/pshuman.ts";
import { openPshumanCheckpoint, type PshumanCheckpoint } from "../../../weights/pshumanCheckpoint.ts";
import { toFloat32 } from "../../../weights/storedTensor.ts";
import { Weights } from "../../../weights/weights.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { configOf } from "../configOf.ts";
import { imagesFromOfficial, imagesToOfficial, repeated, rowsFromOfficial, rowsToOfficial, withNoiseLevels } from "../officialBatch.ts";
import { runOnce } from "../recordedRun.ts";

const halves = 2;

/** Rows of both halves in the official order, zeros without condition. */
function guided(conditional: HostTensor & { readonly data: Float32Array }): HostTensor {
	const { shape, data } = conditional;
	const [normal, color] = split(data, 2);
	const zeros = new Float32Array(normal.length);
	return { shape: [shape[0] * 2, ...shape.slice(1)], data: concatenated([zeros, normal, zeros, color]) };
}

async function runUnet(context: ParityContext): Promise<ParityOutputs> {
	const device = await context.device();
	const { dtype } = context;
	const [, latentChannels, latentSize] = (await context.input("latents")).shape;
	const config = { ...readPshumanConfig(configOf(context.config["config.json"], "config.json")), latentSize, latentChannels };
	const weights = Weights.open(context.weights);
	const unet = declareMultiviewUnet(weights, config.unet, dtype);
	const prompt = rowsFromOfficial(await context.input("prompt_embeds"), 1);
	const embeds = await context.input("image_embeds");
	const labels = rowsFromOfficial(withNoiseLevels(embeds, 0), 1);
	const images = imagesFromOfficial(await context.input("image_latents"), 1);
	const { layout } = config;
	const state = createMultiviewState(unet, { layout, latentSize, latentChannels, steps: 1, promptTokens: prompt.shape[1] });
	await weights.load(device);
	const resident = multiviewStateTensors(state);
	for (const { storage } of resident) allocate(device, storage);
	try {
		const width = config.unet.timeSinusoidChannels;
		const conditioning = await runOnce(device, context, ({ graph, input }) => {
			recordMultiviewConditioning(graph, unet, state, {
				imageLatents: input("image latents", "f32", images.shape, images.data),
				classLabels: input("class labels", "f32", labels.shape, labels.data),
				prompt: input("prompt", dtype, prompt.shape, prompt.data),
				unetSinusoids: input("time", "f32", [1, width], timestepEmbedding([context.config.timestep], width)),
			});
			return {};
		});
		writeTensor(device, state.latents, imagesFromOfficial(await context.input("latents"), 1).data);
		const graph = new Graph(device, context.name, { tapped: (name) => context.outputNames.includes(name) });
		const step = recordPshumanStep(graph, unet, state, { guidance: 3, prediction: "epsilon", clipRange: undefined, noisy: false });
		graph.output(step.output);
		const executable = await compileGraph(graph);
		try {
			executable.write(step.imageRows, stepRows(0, step.imageRows.shape[0]));
			await executable.run();
			const outputs = new Map<string, HostTensor>();
			for (const [name, tensor] of [...graph.taps, ["output", step.output] as const]) {
				outputs.set(name, imagesToOfficial({ shape: tensor.shape, data: await executable.read(tensor) }, halves));
			}
			for (const [name, value] of conditioning) {
				const whole = context.meta.outputs[name].shape as readonly number[];
				const rows = value.shape[0] === whole[0] ? rowsToOfficial(value, halves) : value;
				// The time's embedding is the same for every image, and computed once.
				outputs.set(name, { shape: whole, data: repeated(rows.data, whole) });
			}
			return outputs;
		} finally {
			executable.destroy();
		}
	} finally {
		for (const { storage } of resident) release(device, storage);
		weights.release();
	}
}

async function runImageEmbeds(context: ParityContext): Promise<ParityOutputs> {
	const values = async (name: string) => Float32Array.from((await context.input(name)).data);
	const [embeds, noise] = [await values("image_embeds"), await values("noise")];
	const rows = (await context.input("image_embeds")).shape[0];
	const width = embeds.length / rows;
	const vector = async (name: string) => toFloat32(await context.weights.read(name, [1, width]));
	const statistics = { mean: await vector("mean"), deviation: await vector("std") };
	const scheduleOf = (betaSchedule: string) =>
		noiseScheduleOf(
			{
				...context.config.image_noising_scheduler,
				beta_schedule: betaSchedule,
				...(betaSchedule === "scaled_linear" && { beta_start: 0.00085, beta_end: 0.012 }),
			},
			"case.json",
		);
	const outputs = new Map<string, HostTensor>();
	for (const name of context.outputNames) {
		const { shape } = context.expected(name);
		const level = Number(/level(\d+)$/.exec(name)?.[1]);
		const [kind] = name.split(".");
		const noised = (betaSchedule: string, half: boolean) =>
			noiseImageEmbeddings(embeds, noise, statistics, {
				schedule: scheduleOf(betaSchedule),
				level,
				round: half ? (value) => roundToFloat16(Math.fround(value)) : Math.fround,
			});
		const labelled = (betaSchedule: string) => withNoiseLevels({ shape: [rows, width], data: noised(betaSchedule, false) }, level);
		if (name.endsWith("alphas_cumprod")) outputs.set(name, { shape, data: Float32Array.from(cumulativeAlphas(scheduleOf(kind))) });
		else if (kind === "fp16") outputs.set(name, { shape, data: noised("squaredcos_cap_v2", true) });
		else if (kind === "cfg") outputs.set(name, guided(labelled("squaredcos_cap_v2")));
		else if (name.includes("class_labels")) outputs.set(name, labelled(kind));
	}
	return outputs;
}

async function runSampler(context: ParityContext): Promise<ParityOutputs> {
	const inside = "checkpoint/";
	const folder = {
		name: `${context.folder.name}/checkpoint`,
		open: (path: string) => context.folder.open(inside + path),
		list: (path: string) => context.folder.list(inside + path),
	};
	const stored = await openPshumanCheckpoint(folder);
	const { shape: promptShape, data: prompt } = await context.input("prompt_embeds");
	const [normal, color] = split(Float32Array.from(prompt), 2);
	const picture = async (name: string): Promise<Image> => {
		const { shape, data } = await context.input(name);
		return imageOf(shape[1], shape[0], shape[2], Uint8Array.from(data));
	};
	const values = async (name: string) => Float32Array.from((await context.input(name)).data);
	const { num_inference_steps: steps, guidance_scale: guidance, eta, schedulers, timesteps } = context.config;
	const noises = split(await values("variance_noise"), steps);
	const inputs = {
		person: await picture("image_u8"),
		face: await picture("face_u8"),
		embeddingNoise: await values("embed_noise"),
		latents: await values("latents"),
		stepNoise: (step: number) => noises[step],
	};
	const outputs = new Map<string, HostTensor>();
	for (const [name, json] of Object.entries(schedulers as Record<string, Record<string, unknown>>)) {
		const checkpoint: PshumanCheckpoint = {
			...stored,
			scheduler: async (component) => (component === "scheduler" ? { path: `schedulers.${name}`, json } : stored.scheduler(component)),
			async promptEmbeds(views) {
				const data = (views === "normal" ? normal : color).slice();
				return { dtype: "F32", shape: [promptShape[0] / 2, ...promptShape.slice(1)], bytes: new Uint8Array(data.buffer) };
			},
		};
		const result = await runPshumanOn(
			bareContext(await context.device()),
			{ checkpoint, dtype: context.dtype, steps, guidance, eta },
			inputs,
		);
		const found = result.schedule.map(({ timestep }) => timestep);
		if (found.join() !== timesteps[name].join()) throw new Error(`${name}: timesteps ${found}, expected ${timesteps[name]}`);
		const images = result.views.length;
		const official = (data: Float32Array, side: number) =>
			imagesToOfficial({ shape: [images, side, side, data.length / images / side ** 2], data }, 1) as HostTensor & { data: Float32Array };
		const side = (context.meta.outputs["cond.image_latents"].shape as number[])[2];
		outputs.set("cond.image_latents", guided(official(result.imageLatents, side)));
		const labels = rowsToOfficial({ shape: [images, result.classLabels.length / images], data: result.classLabels }, 1);
		outputs.set("cond.class_labels", guided(labels as HostTensor & { data: Float32Array }));
		outputs.set(`${name}.step${steps - 1}.latents`, official(result.latents, side));
		outputs.set(`${name}.images`, official(concatenated(result.views.map(({ data }) => data)), result.views[0].width));
	}
	return outputs;
}

/** PSHuman's networks and its whole diffusion. */
export const adapters: Adapters = {
	pshuman_unet: { runs: "device", required: () => ["output", "class_embedding", "time_embedding"], run: runUnet },
	pshuman_image_embeds: { runs: "host", required: (names) => names.filter((name) => name !== "scaled"), run: runImageEmbeds },
	pshuman_sampler: {
		runs: "device",
		required: (names) => names.filter((name) => /^cond\.|\.images$|\.step2\.latents$/.test(name)),
		run: runSampler,
	},
};

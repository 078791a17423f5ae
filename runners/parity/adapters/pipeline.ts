import { type Image, imageOf } from "../../../engine/image/image.ts";
import { centredOnBlack } from "../../../engine/image/personImage.ts";
import { domains, synchumanViews } from "../../../engine/layers/multiviewLayout.ts";
import { readAutoencoderConfig } from "../../../engine/models/autoencoderConfig.ts";
import { channelsLast, imagesFromOfficial } from "../../../engine/stages/imageArrangement.ts";
import { bareContext } from "../../../engine/stages/part.ts";
import { prepareStageOne } from "../../../engine/stages/stage1.ts";
import type { Checkpoint } from "../../../weights/checkpoint.ts";
import { openCheckpoint } from "../../../weights/checkpointFolder.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { configOf } from "../configOf.ts";
import { imagesToOfficial } from "../officialBatch.ts";
import { permuted } from "../recordedRun.ts";

/** The case's checkpoint folder; what it has no files for (prompt embeddings, sizes of engine.json) comes from the case. */
async function checkpointOf(context: ParityContext): Promise<Checkpoint> {
	const checkpoint = await openCheckpoint(context.folder);
	const prompts = await context.input("prompt_embeds");
	const [, tokens, width] = prompts.shape;
	return {
		...checkpoint,
		engine: async () => configOf(context.config, "case.json"),
		async promptEmbeds(views) {
			// Seven views are stored; these five are used.
			const used = [0, 2, 3, 4, 6];
			const each = tokens * width;
			const values = new Float32Array(7 * each);
			used.forEach((view, i) => {
				const row = (views === "normal" ? 0 : used.length) + i;
				values.set(prompts.data.subarray(row * each, (row + 1) * each) as Float32Array, view * each);
			});
			return { dtype: "F32", shape: [7, tokens, width], bytes: new Uint8Array(values.buffer) };
		},
	};
}

async function picture(context: ParityContext, name: string): Promise<Image> {
	const { shape, data } = await context.input(name);
	return imageOf(shape[1], shape[0], shape[2], Uint8Array.from(data));
}

async function runPipeline(context: ParityContext): Promise<ParityOutputs> {
	const checkpoint = await checkpointOf(context);
	const { scalingFactor } = readAutoencoderConfig(await checkpoint.config("vae"));
	const latents = await context.input("latents");
	const trellis = await context.input("trellis_latent");
	const [, channels, size] = latents.shape;
	const [, structureChannels, resolution] = trellis.shape;
	const inputSize = (context.meta.outputs.preprocess_image.shape as number[])[0];
	const centred = centredOnBlack(await picture(context, "image_raw_rgba"), inputSize);
	const person = await picture(context, "image_u8");
	const run = await prepareStageOne(
		bareContext(await context.device()),
		{ checkpoint, dtype: context.dtype, steps: (context.meta.timesteps as unknown[]).length, guidance: 3 },
		{ pixels: person.width, centredPixels: centred.width },
	);
	const result = await run({
		person,
		face: await picture(context, "face_u8"),
		centred,
		noise: {
			images: imagesFromOfficial(Float32Array.from(latents.data), synchumanViews.views, channels),
			structure: channelsLast(Float32Array.from(trellis.data), structureChannels),
		},
	});
	const images = synchumanViews.views * domains;
	const official = (data: Float32Array, width: number) =>
		imagesToOfficial({ shape: [images, width, width, data.length / images / width ** 2], data }, 1);
	const [{ width }] = result.views;
	const views = new Float32Array(result.views.length * result.views[0].data.length);
	result.views.forEach(({ data }, i) => {
		views.set(data, i * data.length);
	});
	const logitSide = Math.round(Math.cbrt(result.logits.length));
	return new Map<string, HostTensor>([
		["preprocess_image", { shape: [centred.height, centred.width, centred.channels], data: centred.data }],
		[
			"final.latents_div_scaling",
			official(
				result.latents.images.map((value) => value / scalingFactor),
				size,
			),
		],
		[
			"final.trellis_latent",
			permuted(
				{ shape: trellis.shape, data: result.latents.structure },
				[0, 4, 1, 2, 3],
				[1, resolution, resolution, resolution, structureChannels],
			),
		],
		["final.occupancy_logits", { shape: [1, 1, logitSide, logitSide, logitSide], data: result.logits }],
		["images", official(views, width)],
		["coords_head", { shape: [64, 4], data: result.coordinates.slice(0, 64 * 4) }],
		["coords", { shape: [result.coordinates.length / 4, 4], data: result.coordinates }],
	]);
}

/** The golden case of stage 1 from prepared pictures to views and voxels. */
export const adapters: Adapters = {
	pipeline: {
		runs: "device",
		required: () => ["preprocess_image", "final.latents_div_scaling", "final.trellis_latent", "final.occupancy_logits", "images"],
		run: runPipeline,
	},
};

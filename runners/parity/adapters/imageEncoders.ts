import { clipPixels } from "../../../engine/image/clipPixels.ts";
import { type FloatImage, type Image, imageNetStatistics, imageOf, normalizeColors, toFloatImage } from "../../../engine/image/image.ts";
import { layerNorm } from "../../../engine/kernels/dense/layerNorm.ts";
import { declareClipVision, readClipVisionConfig, recordClipVision } from "../../../engine/models/clipVision.ts";
import { declareDinov2, readDinov2Config, recordDinov2 } from "../../../engine/models/dinov2.ts";
import { readClipPreprocessing } from "../../../engine/stages/clipPreprocessing.ts";
import { toFloat32 } from "../../../weights/storedTensor.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { configOf } from "../configOf.ts";
import { recordedRun } from "../recordedRun.ts";
import { syntheticPicture } from "../syntheticPictures.ts";

/** [1, channels, height, width], as torch's pictures are. */
function channelsFirst({ height, width, channels, data }: FloatImage): HostTensor {
	const values = new Float32Array(data.length);
	for (let i = 0; i < data.length; i++) values[(i % channels) * width * height + Math.floor(i / channels)] = data[i];
	return { shape: [1, channels, height, width], data: values };
}

/** Pictures of one size as [images, height, width, channels]. */
function batch(pictures: readonly FloatImage[]): HostTensor {
	const [{ height, width, channels, data }] = pictures;
	const values = new Float32Array(pictures.length * data.length);
	pictures.forEach((picture, i) => {
		values.set(picture.data, i * data.length);
	});
	return { shape: [pictures.length, height, width, channels], data: values };
}

/** The picture of an output `pixel_values.NAME`: an input of the case, or the kit's synthetic one of its size (of `synth_SIDE`). */
async function clipPicture(context: ParityContext, name: string): Promise<Image> {
	const side = /^synth_(\d+)$/.exec(name)?.[1];
	if (side !== undefined) return syntheticPicture(Number(side), Number(side));
	if (context.hasInput(name)) {
		const { shape, data } = await context.input(name);
		return imageOf(shape[1], shape[0], shape[2], Uint8Array.from(data));
	}
	const [height, width] = context.meta.inputs[name].shape as number[];
	return syntheticPicture(height, width);
}

async function runClipVision(context: ParityContext): Promise<ParityOutputs> {
	const { dtype } = context;
	const config = readClipVisionConfig(configOf(context.config["config.json"], "config.json"));
	const preprocessing = readClipPreprocessing(configOf(context.config["preprocessor_config.json"], "preprocessor_config.json"));
	const outputs = new Map<string, HostTensor>();
	const pictures: FloatImage[] = [];
	for (const output of context.outputNames.filter((name) => name.startsWith("pixel_values.")).sort()) {
		const pixels = clipPixels(await clipPicture(context, output.slice("pixel_values.".length)), preprocessing);
		pictures.push(pixels);
		outputs.set(output, channelsFirst(pixels));
	}
	const lastLayer = `encoder.layers.${config.layers - 1}`;
	const pixels = batch(pictures);
	const values = await recordedRun(
		{ ...context, outputNames: [...context.outputNames, lastLayer] },
		(weights) => declareClipVision(weights, config, dtype),
		({ graph, input }, model) => ({ image_embeds: recordClipVision(graph, model, input("pixels", "f32", pixels.shape, pixels.data)) }),
	);
	for (const [name, value] of values) {
		if (context.outputNames.includes(name)) outputs.set(name, value);
		if (name === lastLayer) outputs.set("encoder.layers.last", value);
	}
	return outputs;
}

async function runDinov2(context: ParityContext): Promise<ParityOutputs> {
	const { dtype } = context;
	const numbersIn = (pattern: RegExp) =>
		[...new Set(context.outputNames.flatMap((name) => pattern.exec(name)?.[1] ?? []))].map(Number).sort((a, b) => a - b);
	const sides = numbersIn(/^s(\d+)\./);
	const taps = numbersIn(/\.intermediate\.(\d+)$/);
	const config = readDinov2Config(configOf({ dinov2: { ...context.config.dinov2, taps } }, "case.json"));
	const { channels, patchSize } = config;
	const outputs = new Map<string, HostTensor>();
	const values = await recordedRun(
		context,
		(weights) => declareDinov2(weights, config, dtype),
		({ graph, input }, model) =>
			Object.assign(
				{},
				...sides.map((side) => {
					const normalized = normalizeColors(toFloatImage(syntheticPicture(side, side)), imageNetStatistics);
					outputs.set(`s${side}.normalized`, channelsFirst(normalized));
					const pixels = input(`pixels ${side}`, "f32", [1, side, side, 3], normalized.data);
					return graph.scope(`s${side}`, () => {
						const { prenorm, condition, features } = recordDinov2(graph, model, { pixels, condition: true, features: "f32" });
						const classToken = layerNorm(graph, {
							x: prenorm,
							xRows: { first: 0, count: 1, stride: prenorm.shape[1], segments: 1 },
							eps: 1e-6,
							affine: model.norm,
							outputDtype: "f32",
						});
						return {
							[`s${side}.layer_norm_x_prenorm`]: condition,
							[`s${side}.x_norm_clstoken`]: classToken,
							[`s${side}.features`]: features,
						};
					});
				}),
			),
	);
	for (const [name, value] of values) if (context.outputNames.includes(name)) outputs.set(name, value);
	const classPosition = await context.weights.read("pos_embed", [1, 1 + Math.floor(config.imageSize / patchSize) ** 2, channels]);
	for (const side of sides) {
		const patches = (side / patchSize) ** 2;
		const features = values.get(`s${side}.features`)?.data ?? new Float32Array();
		taps.forEach((tap, column) => {
			const data = new Float32Array(patches * channels);
			for (let row = 0; row < patches; row++) {
				const start = (row * taps.length + column) * channels;
				data.set(features.subarray(start, start + channels), row * channels);
			}
			outputs.set(`s${side}.intermediate.${tap}`, { shape: [1, patches, channels], data });
		});
		const resized = outputs.get(`s${side}.pos_embed`);
		if (resized !== undefined) {
			const data = new Float32Array((1 + patches) * channels);
			data.set(toFloat32(classPosition).subarray(0, channels));
			data.set(resized.data, channels);
			outputs.set(`s${side}.pos_embed`, { shape: [1, 1 + patches, channels], data });
		}
	}
	return outputs;
}

const all = (names: readonly string[]) => names;

/** CLIP's and DINOv2's image encoders. */
export const adapters: Adapters = {
	clip_vision: { runs: "device", required: all, run: runClipVision },
	dinov2_reg: { runs: "device", required: all, run: runDinov2 },
};

import { defaults } from "../../../engine/defaults.ts";
import { type Box, crop } from "../../../engine/image/crop.ts";
import { type FloatImage, type Image, truncateToImage } from "../../../engine/image/image.ts";
import { centredOnBlack, loadPersonAndFace } from "../../../engine/image/personImage.ts";
import { pillowResize, type ResizeFilter } from "../../../engine/image/pillowResize.ts";
import { decodedToFloat, loadView, pasteFaceNormals, quantize, viewForDino } from "../../../engine/image/stageViews.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { asTensor, channelsFirst, checkSums, inputImage } from "../pictures.ts";
import { syntheticPersonPicture } from "../syntheticPictures.ts";

const all = (names: readonly string[]) => names;

function fromChannelsFirst(data: Float32Array, channels: number, height: number, width: number): FloatImage {
	const values = new Float32Array(data.length);
	for (let i = 0; i < data.length; i++) values[i] = data[(i % channels) * width * height + Math.floor(i / channels)];
	return { width, height, channels, data: values };
}

async function runPilResize(context: ParityContext): Promise<ParityOutputs> {
	const outputs = new Map<string, HostTensor>();
	const { resizes, crops = [] } = context.meta as {
		resizes: { output: string; input: string; size_wh: [number, number]; filter: string }[];
		crops?: [number, number, number, number][];
	};
	for (const { output, input, size_wh, filter } of resizes) {
		const image = await inputImage(context, input);
		outputs.set(output, asTensor(pillowResize(image, ...size_wh, filter === "default" ? undefined : (filter as ResizeFilter))));
	}
	for (const [index, box] of crops.entries()) {
		outputs.set(`crop_${index}`, asTensor(crop(await inputImage(context, "crop_src"), box as Box)));
	}
	return outputs;
}

async function runPreprocess(context: ParityContext): Promise<ParityOutputs> {
	const outputs = new Map<string, HostTensor>();
	const described = context.meta.images as Record<string, Record<string, string> & { h: number; w: number }>;
	const pictures = new Map(Object.entries(described).map(([name, { h, w }]) => [name, syntheticPersonPicture(h, w)]));
	if (context.hasInput("rgba_small")) pictures.set("small", await inputImage(context, "rgba_small"));
	for (const [name, picture] of pictures) {
		const { marginRgba, faceRgba, person, face } = loadPersonAndFace(picture, defaults.viewSize);
		const [personImage, faceImage] = [truncateToImage(person), truncateToImage(face)];
		const onBlack = centredOnBlack(picture, defaults.inputSize);
		const results: Record<string, Image | FloatImage> = {
			margin_rgba: marginRgba,
			face_rgba: faceRgba,
			image: person,
			face,
			image_pil: personImage,
			preprocess_image: onBlack,
		};
		for (const [part, result] of Object.entries(results)) {
			if (context.outputNames.includes(`${name}.${part}`)) outputs.set(`${name}.${part}`, asTensor(result));
		}
		const sums = described[name] ?? {};
		checkSums(context, [
			[`${name}.rgba`, picture.data, sums.sha256_rgba],
			[`${name}.margin_rgba`, marginRgba.data, sums.sha256_margin_rgba],
			[`${name}.face_rgba`, faceRgba.data, sums.sha256_face_rgba],
			[`${name}.image`, person.data, sums.sha256_image_f32],
			[`${name}.face`, face.data, sums.sha256_face_f32],
			[`${name}.image_pil`, personImage.data, sums.sha256_to_pil_image],
			[`${name}.face_pil`, faceImage.data, sums.sha256_to_pil_face],
			[`${name}.preprocess_image`, onBlack.data, sums.sha256_preprocess_image],
		]);
	}
	const ramp = Float32Array.from({ length: 256 }, (_, k) => k / 255);
	const truncated = truncateToImage({ width: 256, height: 1, channels: 1, data: ramp }).data;
	outputs.set("u8_roundtrip_trunc", { shape: [256], data: truncated });
	const gray = Float32Array.from({ length: 768 }, (_, i) => ramp[Math.floor(i / 3)]);
	outputs.set("u8_via_tensor_image", asTensor(truncateToImage({ width: 256, height: 1, channels: 3, data: gray })));
	return outputs;
}

async function runPostprocess(context: ParityContext): Promise<ParityOutputs> {
	const [views, channels, height, width] = context.meta.outputs.postprocess.shape as number[];
	const decoded = Array.from({ length: views }, (_, k) => {
		const data = new Float32Array(height * width * channels);
		for (let i = 0; i < data.length; i++) {
			const [y, x, c] = [Math.floor(i / (width * channels)), Math.floor(i / channels) % width, i % channels];
			data[i] = Math.fround(((y * 131 + x * 71 + c * 37 + k * 19) % 257) / 128) - Math.fround(1.004);
		}
		return { width, height, channels, data };
	});
	const [front, face] = decoded.map(decodedToFloat);
	const both = new Float32Array(views * channels * height * width);
	[front, face].forEach((view, k) => {
		both.set(channelsFirst(view).data, k * channels * height * width);
	});
	const pasted = pasteFaceNormals(front, face);
	const third = width / 3;
	const faceThird = new Float32Array(third * third * channels);
	for (let y = 0; y < third; y++) {
		const row = (y * width + third) * channels;
		faceThird.set(pasted.data.subarray(row, row + third * channels), y * third * channels);
	}
	const saved = quantize(pasted);
	checkSums(context, [["saved_u8", saved.data, context.meta.sha256_saved_u8]]);
	return new Map<string, HostTensor>([
		["postprocess", { shape: [views, channels, height, width], data: both }],
		["face_256", channelsFirst({ width: third, height: third, channels, data: faceThird })],
		["pasted", channelsFirst(pasted)],
		["saved_u8", asTensor(saved)],
	]);
}

async function runImageLoading(context: ParityContext): Promise<ParityOutputs> {
	const { img_wh_mv: viewSize, layers } = context.config.args as { img_wh_mv: [number, number]; layers: number[] };
	const view = loadView(await inputImage(context, "color_0_rgb"), viewSize[0]);
	const onBlack = centredOnBlack(await inputImage(context, "input_rgba"), defaults.inputSize);
	checkSums(context, [
		["mv_img_0", Float32Array.from(channelsFirst(view).data), context.meta.stats?.sha256_mv_img_0],
		["preprocessed", onBlack.data, context.meta.stats?.sha256_preprocessed],
	]);
	const { shape, data } = await context.input("encode_in");
	const [batch, views, channels, height, width] = shape;
	const side = context.expected("encode_normalised").shape[2];
	const normalized = new Float32Array(batch * views * channels * side * side);
	for (let i = 0; i < batch * views; i++) {
		const values = (data as Float32Array).subarray(i * channels * height * width, (i + 1) * channels * height * width);
		const result = viewForDino(fromChannelsFirst(values, channels, height, width), side);
		normalized.set(channelsFirst(result).data, i * channels * side * side);
	}
	// The kit's stand-in for DINOv2 gives 4 channels a layer.
	const tokenShape = Int32Array.from([batch, views, side / 14, side / 14, 4 * layers.length]);
	return new Map<string, HostTensor>([
		["mv_img_0_stride16", everyNth(channelsFirst(view), 16)],
		["preprocessed_518", everyNthPixel(asTensor(onBlack), 4)],
		["encode_normalised", { shape: [batch * views, channels, side, side], data: normalized }],
		["token_shape", { shape: [5], data: tokenShape }],
	]);
}

/** x[:, ::step, ::step] */
function everyNth({ shape, data }: HostTensor, step: number): HostTensor {
	const [channels, height, width] = shape;
	const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)];
	const values = Float32Array.from({ length: channels * rows * columns }, (_, i) => {
		const [c, y, x] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
		return data[(c * height + y * step) * width + x * step];
	});
	return { shape: [channels, rows, columns], data: values };
}

/** x[::step, ::step] */
function everyNthPixel({ shape, data }: HostTensor, step: number): HostTensor {
	const [height, width, channels] = shape;
	const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)];
	const values = Uint8Array.from({ length: rows * columns * channels }, (_, i) => {
		const [y, x, c] = [Math.floor(i / (columns * channels)), Math.floor(i / channels) % columns, i % channels];
		return data[(y * step * width + x * step) * channels + c];
	});
	return { shape: [rows, columns, channels], data: values };
}

/** Pictures in and out: plain TypeScript, bit for bit. */
export const adapters: Adapters = {
	pil_resize: { runs: "host", required: all, run: runPilResize },
	preprocess: { runs: "host", required: all, run: runPreprocess },
	postprocess: { runs: "host", required: all, run: runPostprocess },
	image_loading: {
		runs: "host",
		required: (names) => names.filter((name) => !["mv_img_1_stride16", "faces_img_stride32"].includes(name)),
		run: runImageLoading,
	},
};

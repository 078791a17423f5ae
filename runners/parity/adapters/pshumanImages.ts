import { roundToFloat16 } from "../../../engine/gpu/float16.ts";
import { type FloatImage, toFloatImage, truncateToImage } from "../../../engine/image/image.ts";
import { loadPersonAndFace } from "../../../engine/image/personImage.ts";
import { pshumanPictures } from "../../../engine/image/pshumanViews.ts";
import { decodedToFloat } from "../../../engine/image/stageViews.ts";
import type { Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { asTensor, channelsFirst, checkSums, inputImage } from "../pictures.ts";
import { syntheticPersonPicture, syntheticPicture } from "../syntheticPictures.ts";

async function runPreprocess(context: ParityContext): Promise<ParityOutputs> {
	const outputs = new Map<string, HostTensor>();
	const [size] = context.config.img_wh as [number, number];
	const described = context.meta.images as Record<string, Record<string, string> & { h: number; w: number }>;
	for (const [name, { h, w, ...sums }] of Object.entries(described)) {
		const [, picture, crop] = /^(.*)\.crop(-?\d+)$/.exec(name) as RegExpExecArray;
		const rgba = context.hasInput(`${picture}.rgba`) ? await inputImage(context, `${picture}.rgba`) : syntheticPersonPicture(h, w);
		const { marginRgba, faceRgba, person, face } = loadPersonAndFace(rgba, size, Number(crop));
		const [personImage, faceImage] = [truncateToImage(person), truncateToImage(face)];
		const results: Record<string, HostTensor> = {
			canvas_rgba: asTensor(marginRgba),
			face_rgba: asTensor(faceRgba),
			image_f32: channelsFirst(person),
			face_f32: channelsFirst(face),
			image_pil: asTensor(personImage),
			face_pil: asTensor(faceImage),
		};
		for (const [part, result] of Object.entries(results)) {
			if (context.outputNames.includes(`${name}.${part}`)) outputs.set(`${name}.${part}`, result);
		}
		checkSums(context, [
			[`${name}.rgba`, rgba.data, sums.sha256_rgba],
			[`${name}.canvas_rgba`, marginRgba.data, sums.sha256_canvas_rgba],
			[`${name}.face_rgba`, faceRgba.data, sums.sha256_face_rgba],
			[`${name}.image_f32`, results.image_f32.data as Float32Array, sums.sha256_image_f32_chw],
			[`${name}.face_f32`, results.face_f32.data as Float32Array, sums.sha256_face_f32_chw],
			[`${name}.image_pil`, personImage.data, sums.sha256_image_pil_hwc],
			[`${name}.face_pil`, faceImage.data, sums.sha256_face_pil_hwc],
		]);
	}
	return outputs;
}

async function runPostprocess(context: ParityContext): Promise<ParityOutputs> {
	const [images, channels, height, width] = context.meta.outputs.postprocess.shape as number[];
	const views = images / 2;
	const decoded = Array.from({ length: images }, (_, k): FloatImage => {
		const data = new Float32Array(height * width * channels);
		for (let i = 0; i < data.length; i++) {
			const [y, x, c] = [Math.floor(i / (width * channels)), Math.floor(i / channels) % width, i % channels];
			const level = ((y * 131 + x * 71 + c * 37 + k * 19) % 4099) / 2048;
			data[i] = roundToFloat16(Math.fround(Math.fround(level) - Math.fround(1.0005)));
		}
		return { width, height, channels, data };
	}).map(decodedToFloat);
	const whole = new Float32Array(images * channels * height * width);
	decoded.forEach((view, k) => {
		whole.set(channelsFirst(view).data, k * channels * height * width);
	});
	const input = toFloatImage(syntheticPicture(height, width));
	const { colors, normals, strip } = pshumanPictures(input, decoded.slice(views), decoded.slice(0, views));
	const outputs = new Map<string, HostTensor>([
		["postprocess", { shape: [images, channels, height, width], data: whole }],
		["u8.concat", asTensor(strip)],
	]);
	const names = context.config.views as readonly string[];
	const sums: [string, Uint8Array, string | undefined][] = [];
	for (const [kind, pictures] of [
		["color", colors],
		["normal", normals],
	] as const) {
		pictures.forEach((picture, view) => {
			const name = `${kind}_${view}_${names[view]}`;
			outputs.set(`u8.${name}`, asTensor(picture));
			sums.push([name, picture.data, context.meta.outputs_sha256[name]]);
		});
	}
	checkSums(context, sums);
	return outputs;
}

/** PSHuman's pictures, before and behind the networks. */
export const adapters: Adapters = {
	pshuman_preprocess: { runs: "host", required: (names) => names, run: runPreprocess },
	pshuman_postprocess: { runs: "host", required: (names) => names.filter((name) => !name.startsWith("fp16.")), run: runPostprocess },
};

import { backgroundInput, maskFor, premultipliedCutOut, saliencyMask, straightCutOut } from "../../../engine/image/backgroundRemoval.ts";
import { dropAlpha, type Image, imageOf } from "../../../engine/image/image.ts";
import { declareU2net, recordU2net, sigmoid, type U2netConfig, u2netConfigOf } from "../../../engine/models/u2net.ts";
import { convolutionsOfStateDict, foldedConvolutions } from "../../../weights/foldedConvolutions.ts";
import { Weights } from "../../../weights/weights.ts";
import type { Adapter, Adapters, HostTensor, ParityContext, ParityOutputs } from "../adapter.ts";
import { asTensor, channelsFirst, inputImage } from "../pictures.ts";
import { permuted, runOnce } from "../recordedRun.ts";

/** What rembg's option of a background colour gives; nothing here needs it. */
const notOurs = /\.white_rgba$/;

const pictures = ["rgb", "rgba"];

async function run(context: ParityContext): Promise<ParityOutputs> {
	const device = await context.device();
	const source = foldedConvolutions(context.weights.name, convolutionsOfStateDict(context.weights, context.config.bn_eps));
	const config: U2netConfig = u2netConfigOf(source);
	const weights = Weights.open(source);
	const model = declareU2net(weights, config, context.dtype);
	await weights.load(device);
	const outputs = new Map<string, HostTensor>();
	try {
		for (const name of pictures.filter((picture) => context.hasInput(picture))) {
			const picture = await inputImage(context, name);
			for (const [output, value] of await runPicture(context, name, picture, model)) {
				if (context.outputNames.includes(output) && !outputs.has(output)) outputs.set(output, value);
			}
		}
	} finally {
		weights.release();
	}
	return outputs;
}

async function runPicture(context: ParityContext, name: string, picture: Image, model: ReturnType<typeof declareU2net>) {
	const { resized, pixels } = backgroundInput(picture);
	const { width, height } = resized;
	const recorded = await runOnce(await context.device(), context, ({ graph, input }) => {
		const x = input("pixels", "f32", [1, height, width, 3], pixels.data);
		return Object.fromEntries(recordU2net(graph, model, x).map((logits, i) => [`${name}.d${i}`, logits]));
	});
	const outputs = new Map<string, HostTensor>([
		[`${name}.resized_u8`, asTensor(resized)],
		[`${name}.input_f32`, { ...channelsFirst(pixels), shape: [1, 3, height, width] }],
	]);
	for (const [output, value] of recorded) {
		const first = permuted(value, [0, 3, 1, 2]);
		outputs.set(output, output.startsWith(`${name}.`) ? { ...first, data: sigmoid(first.data) } : first);
	}
	const saliency = outputs.get(`${name}.d0`)?.data as Float32Array;
	const small = saliencyMask(saliency, width, height);
	const mask = maskFor(picture, small);
	outputs.set(`${name}.mask320_u8`, { shape: [height, width], data: small.data });
	outputs.set(`${name}.mask_u8`, { shape: [picture.height, picture.width], data: mask.data });
	outputs.set(`${name}.cutout_rgba`, asTensor(premultipliedCutOut(picture, mask)));
	const { shape, data } = context.expected(`${name}.mask_u8`);
	const goldenMask = imageOf(shape[1], shape[0], 1, Uint8Array.from(data));
	// --putalpha replaces a picture's own alpha.
	outputs.set(`${name}.putalpha_rgba`, asTensor(straightCutOut(dropAlpha(picture), goldenMask)));
	noteExact(context, name, picture);
	return outputs;
}

/** What follows from the golden's own floats and masks must be equal to the bit. */
function noteExact(context: ParityContext, name: string, picture: Image): void {
	const golden = (output: string) => context.expected(`${name}.${output}`);
	const image = ({ shape, data }: HostTensor): Image => ({ width: shape[1], height: shape[0], channels: 1, data: Uint8Array.from(data) });
	const checks: (readonly [what: string, ours: Uint8Array, golden: HostTensor])[] = [
		["mask from the golden's mask320", maskFor(picture, image(golden("mask320_u8"))).data, golden("mask_u8")],
		["cutout from the golden's mask", premultipliedCutOut(picture, image(golden("mask_u8"))).data, golden("cutout_rgba")],
	];
	const { shape, data } = golden("d0");
	if (data.length === golden("mask320_u8").data.length && shape.length === 4) {
		const ours = saliencyMask(Float32Array.from(data), shape[3], shape[2]).data;
		checks.unshift(["mask320 from the golden's d0", ours, golden("mask320_u8")]);
	}
	const wrong = checks.filter(([, ours, { data: expected }]) => ours.length !== expected.length || ours.some((v, i) => v !== expected[i]));
	if (wrong.length > 0) throw new Error(`${name}: ${wrong.map(([what]) => what).join(", ")} differs from the golden`);
	context.note(`${name}: ${checks.map(([what]) => what).join(", ")}: equal`);
}

const adapter: Adapter = { runs: "device", required: (names) => names.filter((name) => !notOurs.test(name)), run };

/** rembg with U^2-Net, from the picture to the cut-out. */
export const adapters: Adapters = { u2net: adapter, u2netp: adapter, u2net_full: adapter };

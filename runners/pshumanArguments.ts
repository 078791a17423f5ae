import { defaults } from "../engine/defaults.ts";
import { type BackgroundChoice, backgroundChoices } from "./cutOut.ts";
import { type FinishArguments, finishArguments } from "./finishArguments.ts";
import { byteSize, choice, type OptionValues, real, textOf, usage, whole } from "./optionValues.ts";
import { configOptions, isOverride, overrideOptions } from "./pshumanConfig.ts";

const { pshuman: usual, viewSize } = defaults;

/** Where PSHuman's weights lie, where nothing is said. */
const usualWeights = "ckpts/PSHuman_Unclip_768_6views";

/** What `synchuman pshuman` was asked to do. */
export interface PshumanArguments extends FinishArguments {
	/** Pictures, and folders of them. */
	readonly images: readonly string[];
	readonly output: string;
	readonly weights: string;
	readonly background: BackgroundChoice;
	/** Pixels, of 768, that the person's longer side is fitted to; negative: the whole picture. */
	readonly cropSize: number;
	readonly seed: number;
	/** Whether every picture's noise starts at the seed, or only the first's, as upstream. */
	readonly seedOrder: "picture" | "run";
	readonly steps: number;
	readonly guidance: number;
	readonly eta: number;
	/** rgb: every view as a picture, and the strip; concat: the strip alone. */
	readonly saveMode: "rgb" | "concat";
	/** What the views are cut out by: the network that removes backgrounds, their normals, or the first where it is there. */
	readonly viewMasks: "auto" | "u2net" | "normals";
	/** Whether a turntable is written. */
	readonly video: boolean;
	readonly dtype: "f16" | "f32" | undefined;
	readonly adapter: string | undefined;
	/** Bytes. */
	readonly maxMemory: number | undefined;
	readonly json: boolean;
	/** What was given and does not count. */
	readonly remarks: readonly string[];
}

/** Options that only `pshuman` has, for `parseArgs`. */
export const pshumanOptions = {
	"crop-size": { type: "string" },
	eta: { type: "string" },
	"num-views": { type: "string" },
	"save-mode": { type: "string" },
	"seed-order": { type: "string" },
	"view-masks": { type: "string" },
	config: { type: "string" },
	video: { type: "boolean" },
} as const;

/** Lines of `synchuman --help`. */
export const pshumanHelp = `\
pshuman (also --weights, default ${usualWeights}, --seed, default ${usual.seed}, --steps, default ${usual.steps}, --guidance, default ${usual.guidance}, --background and all of finishing):
  --crop-size N            pixels, of ${viewSize}, of the person's longer side (default ${usual.cropSize}); --crop-size=-1: the whole picture
  --eta X                  fresh noise a step, 0 to 1 (default ${usual.eta})
  --num-views N            ${usual.views}: those of the checkpoint
  --save-mode MODE         rgb: every view as a picture, and the strip of all (default); concat: the strip alone
  --seed-order ORDER       picture: each starts at the seed (default); run: the noise goes on from picture to picture, as upstream
  --view-masks HOW         u2net: every view as upstream, soft edges; normals: where its normals are not white; auto: u2net if it is there (default)
  --video                  turntable of colours beside normals, .mp4, or .webp without ffmpeg
  --config FILE.yaml, KEY=VALUE ...
                           upstream's configuration; options of this list count before it`;

/** Checks operands and options of `pshuman`; `config` is the text of --config. Throws code "input". */
export function pshumanArguments(
	line: { readonly operands: readonly string[]; readonly values: OptionValues },
	config: string | undefined,
): PshumanArguments {
	const read = config === undefined ? undefined : configOptions(config, String(line.values.config));
	const values: OptionValues = { ...read?.options, ...overrideOptions(line.operands.filter(isOverride)), ...line.values };
	const given = line.operands.filter((word) => !isOverride(word));
	const root = textOf(values, "images");
	const images = given.length > 0 || root === undefined ? given : [root];
	if (images.length === 0) throw usage("IMAGE is missing");
	const output = textOf(values, "output");
	if (output === undefined) throw usage("-o DIR is missing");
	const views = whole("num-views", textOf(values, "num-views"), usual.views, 1, 1000);
	if (views !== usual.views) throw usage(`--num-views must be ${usual.views}, as the checkpoint has, got ${views}`);
	const smpl = textOf(values, "with-smpl")?.toLowerCase() ?? "false";
	if (smpl !== "false") throw usage(`with_smpl must be false, got ${smpl}: the latents of a body model need other weights`);
	// "rgba" is the value in upstream's file, and nothing in its code.
	const mode = textOf(values, "save-mode") ?? "rgb";
	const crop = whole("crop-size", textOf(values, "crop-size"), usual.cropSize, -1, viewSize);
	if (crop >= 0 && crop < 64) throw usage(`--crop-size must be -1 or from 64 to ${viewSize}, got ${crop}`);
	const dtype = textOf(values, "dtype");
	return {
		...finishArguments(values),
		images,
		output,
		weights: textOf(values, "weights") ?? usualWeights,
		background: choice("--background", textOf(values, "background") ?? "auto", backgroundChoices),
		cropSize: crop,
		seed: whole("seed", textOf(values, "seed"), usual.seed, 0, 2 ** 32 - 1),
		seedOrder: choice("--seed-order", textOf(values, "seed-order") ?? "picture", ["picture", "run"]),
		steps: whole("steps", textOf(values, "steps"), usual.steps, 1, 1000),
		guidance: real("guidance", textOf(values, "guidance"), usual.guidance, -100, 100),
		eta: real("eta", textOf(values, "eta"), usual.eta, 0, 1),
		saveMode: mode === "rgba" ? "rgb" : choice("--save-mode", mode, ["rgb", "concat"]),
		viewMasks: choice("--view-masks", textOf(values, "view-masks") ?? "auto", ["auto", "u2net", "normals"]),
		video: values.video === true,
		dtype: dtype === undefined ? undefined : choice<"f16" | "f32">("--dtype", dtype, ["f16", "f32"]),
		adapter: textOf(values, "adapter"),
		maxMemory: byteSize("max-memory", textOf(values, "max-memory")),
		json: values.json === true,
		remarks:
			read === undefined || read.ignored.length === 0 ? [] : [`${values.config}: these keys count for nothing: ${read.ignored.join(", ")}`],
	};
}

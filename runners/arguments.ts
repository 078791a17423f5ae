import { parseArgs } from "node:util";
import { defaults, type PresetName } from "../engine/defaults.ts";
import type { SyntheticSize } from "../weights/syntheticCheckpoint.ts";
import { type BackgroundChoice, backgroundChoices } from "./cutOut.ts";
import { downloadHelp, downloadOptions } from "./download/options.ts";
import { type FinishArguments, finishArguments, finishHelp, finishOptions } from "./finishArguments.ts";
import { byteSize, choice, type OptionValues, real, textOf, usage, whole } from "./optionValues.ts";
import { pshumanHelp, pshumanOptions } from "./pshumanArguments.ts";
import { renderHelp, renderOptions } from "./renderArguments.ts";
import { serverHelp, serverOptions } from "./serverArguments.ts";

/** What `synchuman generate` and `synchuman demo` were asked to do. */
export interface GenerateArguments extends FinishArguments {
	/** The (first) picture; with stage 2 alone the folder of stage 1. */
	readonly image: string | undefined;
	readonly output: string;
	readonly weights: string;
	readonly background: BackgroundChoice;
	readonly seed: number;
	readonly steps: number;
	readonly stageTwoSteps: number;
	readonly guidance: number;
	readonly stage: "1" | "2" | "both";
	readonly dtype: "f16" | "f32" | undefined;
	/** "software" permits a CPU adapter; anything else is part of an adapter's name. */
	readonly adapter: string | undefined;
	/** Bytes. */
	readonly maxMemory: number | undefined;
	readonly json: boolean;
}

const presetNames = Object.keys(defaults.presets) as PresetName[];

/** Text of `synchuman --help`; every default comes from engine/defaults.ts. */
export const helpText = `synchuman: one photograph of a person to a 3D human, on any GPU

  synchuman generate IMAGE -o DIR      picture of a person to stage1/ and stage2/output.glb
  synchuman generate IMAGES|FOLDER -o DIR
                                       several pictures, or those of a folder, one after the other, each to a folder of its name in DIR
  synchuman generate [FOLDER] -o DIR --stage 2
                                       stage 2 alone, from a stage1/ folder (default DIR/stage1; also one of the official Python)
  synchuman reconstruct VIEWS_DIR -o DIR
                                       five colour and five normal views alone to output.glb, without weights
  synchuman pshuman IMAGE|FOLDER... -o DIR
                                       PSHuman's seven views, and a textured body of them, for each picture
  synchuman demo [-o DIR]              the built-in sample through every network, with tiny synthetic weights
  synchuman synthesize tiny|full DIR   writes a synthetic checkpoint in the official layout; --model pshuman: PSHuman's
  synchuman render MODEL -o FILE       pictures of a .glb or .ply: side by side as .png, or a turntable as .webp, .gif, .mp4
  synchuman download [--dir DIR]       all weights, with their licences; goes on where it ended
  synchuman verify [DIR|FILE]          compares a weights folder with the networks and with its recorded hashes, without a GPU
  synchuman convert DIR -o DIR         a copy of a weights folder in half precision
  synchuman doctor                     whether generate would run here, and the commands for what is missing
  synchuman serve                      an HTTP server with a page and a queue (below)
  synchuman worker --queue URL         does the jobs of servers that were started with the same --queue (below)
  synchuman info                       what the GPU can do

  -o, --output DIR         where results go (demo: out/demo)
  --weights DIR|NAME       checkpoint folder, or synthetic:tiny, synthetic:full (default ckpts)
  --background CHOICE      auto: what is transparent, else removed by u2net.onnx of the weights folder or $U2NET_HOME (default);
                           remove: in any case; keep: only what is transparent; white: a plain white one
  --preset NAME            ${presetNames.map((name) => `${name} (${defaults.presets[name].steps}/${defaults.presets[name].stageTwoSteps} steps)`).join(", ")}; default ${defaults.preset}
  --steps N                denoising steps of stage 1 (default ${defaults.steps})
  --stage2-steps N         steps of stage 2 (default ${defaults.stageTwoSteps})
  --guidance X             guidance of stage 1 (default ${defaults.guidance})
${finishHelp}
  --seed N                 of all random numbers (default ${defaults.seed})
  --stage 1|2|both         which part runs (default both)
  --dtype f16|f32          precision of weights and activations (default f16 where the GPU has it)
  --adapter NAME           part of a GPU's name; "software" runs on the CPU: for tests
  --max-memory SIZE        GPU memory that may be used, such as 12GB or 800MiB; where it holds all weights, they stay there
  --resume                 keeps what an earlier run of the same command has finished (stage 1, whole pictures), by its run.json
  --json                   progress and result as JSON lines on standard output
  --help, --version

${renderHelp}

${serverHelp}

${pshumanHelp}

${downloadHelp}

Exit status: 0 done, 2 input, 3 device or memory, 4 checkpoint, 5 disk, 130 stopped.`;

const options = {
	output: { type: "string", short: "o" },
	weights: { type: "string" },
	preset: { type: "string" },
	steps: { type: "string" },
	"stage2-steps": { type: "string" },
	guidance: { type: "string" },
	...finishOptions,
	...renderOptions,
	...serverOptions,
	...pshumanOptions,
	...downloadOptions,
	seed: { type: "string" },
	stage: { type: "string" },
	dtype: { type: "string" },
	adapter: { type: "string" },
	"max-memory": { type: "string" },
	resume: { type: "boolean" },
	model: { type: "string" },
	json: { type: "boolean" },
	help: { type: "boolean", short: "h" },
	version: { type: "boolean" },
} as const;

/** The command, its operands, and the options as given. */
export interface CommandLine {
	readonly command: string | undefined;
	readonly operands: readonly string[];
	readonly values: OptionValues;
}

/** Splits a command line. Throws code "input" for an option that does not exist. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
	try {
		const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
		return { command: positionals[0], operands: positionals.slice(1), values };
	} catch (error) {
		const [problem] = (error as Error).message.split(/\. |\n/);
		const ambiguous = /^Option '(\S+)' argument is ambiguous/.exec(problem);
		if (ambiguous === null) throw usage(problem);
		const [, name] = ambiguous;
		throw usage(`${name} lacks its value, or it begins with a dash: write ${name}${name.startsWith("--") ? "=" : ""}VALUE`);
	}
}

/** Checks the options of `generate`. Throws code "input". */
export function generateArguments({ operands, values }: CommandLine): GenerateArguments {
	const stage = choice("--stage", textOf(values, "stage") ?? "both", ["1", "2", "both"]);
	if (operands.length > 1 && stage === "2") throw usage(`One stage1 folder at a time, got ${operands.join(", ")}`);
	if (values.resume === true && stage === "2") throw usage("--resume is for runs from pictures; --stage 2 has its stage 1 already");
	if (operands.length === 0 && stage !== "2") throw usage("IMAGE is missing");
	const output = textOf(values, "output");
	if (output === undefined) throw usage("-o DIR is missing");
	const otherwise = { ...defaults.presets[preset(values)], weights: "ckpts" };
	return { ...runArguments(values, otherwise), image: operands[0], output, stage };
}

/** Steps and texture of the demo: enough to go through everything, on a CPU in minutes. */
const demo = Object.freeze({
	output: "out/demo",
	weights: "synthetic:tiny",
	steps: 2,
	stageTwoSteps: 2,
	textureSize: 512,
	textureEffort: "sketch" as const,
});

/** Checks the options of `demo`, which has no picture and its own defaults. Throws code "input". */
export function demoArguments({ operands, values }: CommandLine): GenerateArguments {
	if (operands.length > 0) throw usage(`demo takes no picture, got ${operands.join(", ")}`);
	const stage = choice("--stage", textOf(values, "stage") ?? "both", ["1", "2", "both"]);
	const steps = values.preset === undefined ? demo : defaults.presets[preset(values)];
	return { ...runArguments(values, { ...demo, ...steps }), image: undefined, output: textOf(values, "output") ?? demo.output, stage };
}

/** Checks the operands of `synthesize`. Throws code "input". */
export function synthesizeArguments({ operands, values }: CommandLine): {
	readonly size: SyntheticSize;
	readonly folder: string;
	readonly model: "synchuman" | "pshuman";
} {
	const [size, folder, ...more] = operands;
	if (size === undefined || folder === undefined || more.length > 0) throw usage("synthesize takes tiny or full, and a folder");
	const model = choice<"synchuman" | "pshuman">("--model", textOf(values, "model") ?? "synchuman", ["synchuman", "pshuman"]);
	return { size: choice("The size", size, ["tiny", "full"]), folder, model };
}

function preset(values: OptionValues): PresetName {
	return choice("--preset", textOf(values, "preset") ?? defaults.preset, presetNames);
}

/** What `generate` and `demo` share; `otherwise` holds the values of what is not given. */
function runArguments(
	values: OptionValues,
	otherwise: Pick<GenerateArguments, "steps" | "stageTwoSteps" | "weights"> &
		Partial<Pick<FinishArguments, "textureSize" | "textureEffort">>,
) {
	const dtype = textOf(values, "dtype");
	return {
		weights: textOf(values, "weights") ?? otherwise.weights,
		background: choice("--background", textOf(values, "background") ?? "auto", backgroundChoices),
		seed: whole("seed", textOf(values, "seed"), defaults.seed, 0, 2 ** 32 - 1),
		steps: whole("steps", textOf(values, "steps"), otherwise.steps, 1, 1000),
		stageTwoSteps: whole("stage2-steps", textOf(values, "stage2-steps"), otherwise.stageTwoSteps, 1, 1000),
		guidance: real("guidance", textOf(values, "guidance"), defaults.guidance, -100, 100),
		...finishArguments(values, otherwise),
		dtype: dtype === undefined ? undefined : choice("--dtype", dtype, ["f16", "f32"]),
		adapter: textOf(values, "adapter"),
		maxMemory: byteSize("max-memory", textOf(values, "max-memory")),
		json: values.json === true,
	};
}

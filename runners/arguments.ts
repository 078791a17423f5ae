import { parseArgs } from "node:util";
import { defaults, type PresetName } from "../engine/defaults.ts";
import { SyncHumanError } from "../engine/error.ts";
import type { SyntheticSize } from "../weights/syntheticCheckpoint.ts";

/** What `synchuman generate` and `synchuman demo` were asked to do. */
export interface GenerateArguments {
	/** The picture; with stage 2 alone the folder of stage 1. */
	readonly image: string | undefined;
	readonly output: string;
	readonly weights: string;
	readonly seed: number;
	readonly steps: number;
	readonly stageTwoSteps: number;
	readonly guidance: number;
	/** Texels per side; 0: a colour per vertex. */
	readonly textureSize: number;
	/** Up to 1 a share of the faces, above it their number. */
	readonly simplify: number;
	readonly stage: "1" | "2" | "both";
	readonly dtype: "f16" | "f32" | undefined;
	/** "software" permits a CPU adapter; anything else is part of an adapter's name. */
	readonly adapter: string | undefined;
	/** Bytes. */
	readonly maxMemory: number | undefined;
	readonly json: boolean;
}

const [smallestTexture, largestTexture] = defaults.textureSizes;

const presetNames = Object.keys(defaults.presets) as PresetName[];

/** Text of `synchuman --help`; every default comes from engine/defaults.ts. */
export const helpText = `synchuman: one photograph of a person to a 3D human, on any GPU

  synchuman generate IMAGE -o DIR      picture (RGBA with a cut-out person) to stage1/ and stage2/output.glb
  synchuman generate [FOLDER] -o DIR --stage 2
                                       stage 2 alone, from a stage1/ folder (default DIR/stage1; also one of the official Python)
  synchuman demo [-o DIR]              the built-in sample through every network, with tiny synthetic weights
  synchuman synthesize tiny|full DIR   writes a synthetic checkpoint in the official layout
  synchuman info                       what the GPU can do

  -o, --output DIR         where results go (demo: out/demo)
  --weights DIR|NAME       checkpoint folder, or synthetic:tiny, synthetic:full (default ckpts)
  --preset NAME            ${presetNames.map((name) => `${name} (${defaults.presets[name].steps}/${defaults.presets[name].stageTwoSteps} steps)`).join(", ")}; default ${defaults.preset}
  --steps N                denoising steps of stage 1 (default ${defaults.steps})
  --stage2-steps N         steps of stage 2 (default ${defaults.stageTwoSteps})
  --guidance X             guidance of stage 1 (default ${defaults.guidance})
  --texture-size N         pixels of a fitted texture's side, ${smallestTexture} to ${largestTexture}, upstream's is 1024; 0 leaves the surface as it is,
                           with a colour per vertex (default ${defaults.textureSize})
  --simplify X             faces that stay under the texture: a share of them up to 1, or their number (default ${defaults.simplify})
  --seed N                 of all random numbers (default ${defaults.seed})
  --stage 1|2|both         which part runs (default both)
  --dtype f16|f32          precision of weights and activations (default f16 where the GPU has it)
  --adapter NAME           part of a GPU's name; "software" runs on the CPU: for tests
  --max-memory SIZE        GPU memory that may be used, such as 12GB or 800MiB
  --json                   progress and result as JSON lines on standard output
  --help, --version

Exit status: 0 done, 2 input, 3 device or memory, 4 checkpoint, 5 disk, 130 stopped.`;

const options = {
	output: { type: "string", short: "o" },
	weights: { type: "string" },
	preset: { type: "string" },
	steps: { type: "string" },
	"stage2-steps": { type: "string" },
	guidance: { type: "string" },
	"texture-size": { type: "string" },
	simplify: { type: "string" },
	seed: { type: "string" },
	stage: { type: "string" },
	dtype: { type: "string" },
	adapter: { type: "string" },
	"max-memory": { type: "string" },
	json: { type: "boolean" },
	help: { type: "boolean", short: "h" },
	version: { type: "boolean" },
} as const;

/** The command, its operands, and the options as given. */
export interface CommandLine {
	readonly command: string | undefined;
	readonly operands: readonly string[];
	readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

/** Splits a command line. Throws code "input" for an option that does not exist. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
	try {
		const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
		return { command: positionals[0], operands: positionals.slice(1), values };
	} catch (error) {
		throw usage((error as Error).message.split(". ")[0]);
	}
}

/** Checks the options of `generate`. Throws code "input". */
export function generateArguments({ operands, values }: CommandLine): GenerateArguments {
	const stage = choice("--stage", textOf(values, "stage") ?? "both", ["1", "2", "both"]);
	if (operands.length > 1) throw usage(`One picture at a time, got ${operands.join(", ")}`);
	if (operands.length === 0 && stage !== "2") throw usage("IMAGE is missing");
	const output = textOf(values, "output");
	if (output === undefined) throw usage("-o DIR is missing");
	const otherwise = { ...defaults.presets[preset(values)], weights: "ckpts" };
	return { ...runArguments(values, otherwise), image: operands[0], output, stage };
}

/** Steps of the demo: enough to go through every network. */
const demo = Object.freeze({ output: "out/demo", weights: "synthetic:tiny", steps: 2, stageTwoSteps: 2 });

/** Checks the options of `demo`, which has no picture and its own defaults. Throws code "input". */
export function demoArguments({ operands, values }: CommandLine): GenerateArguments {
	if (operands.length > 0) throw usage(`demo takes no picture, got ${operands.join(", ")}`);
	const stage = choice("--stage", textOf(values, "stage") ?? "both", ["1", "2", "both"]);
	const steps = values.preset === undefined ? demo : defaults.presets[preset(values)];
	return { ...runArguments(values, { ...demo, ...steps }), image: undefined, output: textOf(values, "output") ?? demo.output, stage };
}

/** Checks the operands of `synthesize`. Throws code "input". */
export function synthesizeArguments({ operands }: CommandLine): { readonly size: SyntheticSize; readonly folder: string } {
	const [size, folder, ...more] = operands;
	if (size === undefined || folder === undefined || more.length > 0) throw usage("synthesize takes tiny or full, and a folder");
	return { size: choice("The size", size, ["tiny", "full"]), folder };
}

type Values = CommandLine["values"];

function textOf(values: Values, name: string): string | undefined {
	const value = values[name];
	if (value === "") throw usage(`--${name} is empty`);
	return value as string | undefined;
}

function preset(values: Values): PresetName {
	return choice("--preset", textOf(values, "preset") ?? defaults.preset, presetNames);
}

function choice<T extends string>(name: string, given: string, allowed: readonly T[]): T {
	const found = allowed.find((one) => one === given);
	if (found === undefined) throw usage(`${name} must be ${allowed.join(" or ")}, got ${given}`);
	return found;
}

/** What `generate` and `demo` share; `otherwise` holds the values of what is not given. */
function runArguments(values: Values, otherwise: { readonly steps: number; readonly stageTwoSteps: number; readonly weights: string }) {
	const dtype = textOf(values, "dtype");
	const textureSize = texels(textOf(values, "texture-size"), defaults.textureSize);
	if (textureSize === 0 && values.simplify !== undefined) throw usage("--simplify needs a texture: --texture-size must not be 0");
	return {
		weights: textOf(values, "weights") ?? otherwise.weights,
		seed: whole("seed", textOf(values, "seed"), defaults.seed, 0, 2 ** 32 - 1),
		steps: whole("steps", textOf(values, "steps"), otherwise.steps, 1, 1000),
		stageTwoSteps: whole("stage2-steps", textOf(values, "stage2-steps"), otherwise.stageTwoSteps, 1, 1000),
		guidance: real("guidance", textOf(values, "guidance"), defaults.guidance),
		textureSize,
		simplify: kept(textOf(values, "simplify"), defaults.simplify),
		dtype: dtype === undefined ? undefined : choice("--dtype", dtype, ["f16", "f32"]),
		adapter: textOf(values, "adapter"),
		maxMemory: bytes(textOf(values, "max-memory")),
		json: values.json === true,
	};
}

function whole(name: string, given: string | undefined, otherwise: number, min: number, max: number): number {
	if (given === undefined) return otherwise;
	const value = Number(given);
	if (given.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
		throw usage(`--${name} must be a whole number from ${min} to ${max}, got ${given}`);
	}
	return value;
}

/** Side of a texture: a power of two, so that every level of detail has half of the one before; or 0. */
function texels(given: string | undefined, otherwise: number): number {
	if (given === undefined) return otherwise;
	const value = Number(given);
	const isPower = Number.isInteger(Math.log2(value)) && value >= smallestTexture && value <= largestTexture;
	if (given.trim() === "" || !(value === 0 || isPower)) {
		throw usage(`--texture-size must be 0 or a power of two from ${smallestTexture} to ${largestTexture}, got ${given}`);
	}
	return value;
}

/** A share of the faces, or their number. */
function kept(given: string | undefined, otherwise: number): number {
	if (given === undefined) return otherwise;
	const value = Number(given);
	if (given.trim() === "" || !(value > 0) || !(value <= 1 || (Number.isInteger(value) && value >= 4 && value <= 1e9))) {
		throw usage(`--simplify must be a share of the faces above 0 and up to 1, or their number from 4, got ${given}`);
	}
	return value;
}

function real(name: string, given: string | undefined, otherwise: number): number {
	if (given === undefined) return otherwise;
	const value = Number(given);
	if (given.trim() === "" || !Number.isFinite(value) || Math.abs(value) > 100)
		throw usage(`--${name} must be a number from -100 to 100, got ${given}`);
	return value;
}

const units: Readonly<Record<string, number>> = { "": 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 };

function bytes(given: string | undefined): number | undefined {
	if (given === undefined) return undefined;
	const match = /^(\d+(?:\.\d+)?)\s*([KMG]i?B|B)?$/i.exec(given.trim());
	if (match === null) throw usage(`--max-memory must be a size such as 12GB or 800MiB, got ${given}`);
	return Math.floor(Number(match[1]) * units[(match[2] ?? "").toUpperCase()]);
}

function usage(problem: string): SyncHumanError {
	return new SyncHumanError("input", `${problem}.`, "See synchuman --help.");
}

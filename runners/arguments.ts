import { parseArgs } from "node:util";
import { defaults, type PresetName } from "../engine/defaults.ts";
import { SyncHumanError } from "../engine/error.ts";

/** What `synchuman generate` and `synchuman demo` were asked to do. */
export interface GenerateArguments {
	readonly image: string | undefined;
	readonly output: string;
	readonly weights: string;
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

  synchuman generate IMAGE -o DIR      picture (RGBA with a cut-out person) to stage1/ and stage2/output.glb
  synchuman generate -o DIR --stage 2  stage 2 alone, from the stage1/ folder in DIR (also one of the official Python)
  synchuman demo [-o DIR]              the built-in sample through every network, with tiny synthetic weights
  synchuman synthesize tiny|full DIR   writes a synthetic checkpoint in the official layout
  synchuman info                       what the GPU can do

  -o, --output DIR         where results go (demo: out/demo)
  --weights DIR|NAME       checkpoint folder, or synthetic:tiny, synthetic:full (default ckpts)
  --preset NAME            ${presetNames.map((name) => `${name} (${defaults.presets[name].steps}/${defaults.presets[name].stageTwoSteps} steps)`).join(", ")}; default ${defaults.preset}
  --steps N                denoising steps of stage 1 (default ${defaults.steps})
  --stage2-steps N         steps of stage 2 (default ${defaults.stageTwoSteps})
  --guidance X             guidance of stage 1 (default ${defaults.guidance})
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

/** Checks the options of `generate`; `fallback` are what a command such as `demo` puts in place of absent ones. */
export function generateArguments(
	{ operands, values }: CommandLine,
	fallback: { readonly [option: string]: string } = {},
): GenerateArguments {
	const text = (name: string): string | undefined => (values[name] as string | undefined) ?? fallback[name];
	const preset = text("preset") ?? defaults.preset;
	if (!presetNames.includes(preset as PresetName)) throw usage(`--preset must be ${presetNames.join(", ")}, got ${preset}`);
	const { steps, stageTwoSteps } = defaults.presets[preset as PresetName];
	const stage = text("stage") ?? "both";
	if (stage !== "1" && stage !== "2" && stage !== "both") throw usage(`--stage must be 1, 2 or both, got ${stage}`);
	const dtype = text("dtype");
	if (dtype !== undefined && dtype !== "f16" && dtype !== "f32") throw usage(`--dtype must be f16 or f32, got ${dtype}`);
	const output = text("output");
	if (output === undefined) throw usage("-o DIR is missing");
	if (operands.length > 1) throw usage(`one picture at a time, got ${operands.join(", ")}`);
	if (operands.length === 0 && stage !== "2" && fallback.image === undefined) throw usage("IMAGE is missing");
	return {
		image: operands[0],
		output,
		weights: text("weights") ?? "ckpts",
		seed: whole("seed", text("seed"), defaults.seed, 0, 2 ** 32 - 1),
		steps: whole("steps", text("steps"), steps, 1, 1000),
		stageTwoSteps: whole("stage2-steps", text("stage2-steps"), stageTwoSteps, 1, 1000),
		guidance: real("guidance", text("guidance"), defaults.guidance),
		stage,
		dtype,
		adapter: text("adapter"),
		maxMemory: bytes(text("max-memory")),
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
	return new SyncHumanError("input", problem, "See synchuman --help.");
}

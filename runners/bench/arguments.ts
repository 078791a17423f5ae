import { parseArgs } from "node:util";
import { SyncHumanError } from "../../engine/error.ts";

const benchmarks = ["kernels", "step", "stage1", "stage2"] as const;

/** What `npm run bench` was asked to do. */
export interface BenchArguments {
	/** kernels: products, convolutions and attentions of one denoising step, each by itself; step: denoising steps; stage1, stage2: a whole stage. */
	readonly benchmark: (typeof benchmarks)[number];
	readonly weights: string;
	readonly dtype: "f16" | "f32" | undefined;
	readonly adapter: string | undefined;
	/** Denoising steps of `step` and stage1, flow steps of stage2; undefined: 5 of `step`, otherwise the default preset's. */
	readonly steps: number | undefined;
	/** Adds GPU times per kernel and per layer; not of `kernels`, which are nothing else. */
	readonly profile: boolean;
	/** Leaves out the kernels on subgroup matrices. */
	readonly portable: boolean;
	/** Writes all rows as JSON to this file. */
	readonly json: string | undefined;
	/** Adds the rows to runners/results/<gpu>.csv. */
	readonly append: boolean;
}

/** Text of `npm run bench -- --help`. */
export const benchHelp = `npm run bench -- kernels|step|stage1|stage2 [options]

  kernels   products, convolutions and attentions of one denoising step, each by itself, random data
  step      denoising steps of stage 1
  stage1    picture to views and voxels, part by part
  stage2    views and voxels to mesh and Gaussians, part by part

  --weights DIR|NAME   checkpoint folder, synthetic:tiny or synthetic:full (default)
  --steps N            denoising steps (step: 5), flow steps of stage2
  --dtype f16|f32      default f16 where the GPU has it
  --adapter NAME       part of a GPU's name, or software
  --profile            GPU time per kernel and per layer (step, stage1, stage2)
  --no-subgroup-matrix portable kernels only
  --json FILE          all rows as JSON
  --append             all rows into runners/results/<gpu>.csv`;

/** Reads the command line; undefined for --help. Throws code "input". */
export function benchArguments(argv: readonly string[]): BenchArguments | undefined {
	const { values, positionals } = parsed(argv);
	if (values.help) return undefined;
	const [benchmark, ...more] = positionals;
	if (!isBenchmark(benchmark) || more.length > 0) {
		throw new SyncHumanError("input", `bench: give one of ${benchmarks.join(", ")}, got ${positionals.join(" ") || "nothing"}`);
	}
	const { dtype, steps } = values;
	if (dtype !== undefined && dtype !== "f16" && dtype !== "f32")
		throw new SyncHumanError("input", `--dtype must be f16 or f32, got ${dtype}`);
	if (steps !== undefined && !/^[1-9]\d{0,3}$/.test(steps))
		throw new SyncHumanError("input", `--steps must be a whole number from 1 to 9999, got ${steps}`);
	return {
		benchmark,
		weights: values.weights ?? "synthetic:full",
		dtype,
		adapter: values.adapter,
		steps: steps === undefined ? undefined : Number(steps),
		profile: values.profile ?? false,
		portable: values["no-subgroup-matrix"] ?? false,
		json: values.json,
		append: values.append ?? false,
	};
}

function isBenchmark(name: string | undefined): name is BenchArguments["benchmark"] {
	return (benchmarks as readonly (string | undefined)[]).includes(name);
}

function parsed(argv: readonly string[]) {
	try {
		return parseArgs({
			args: [...argv],
			allowPositionals: true,
			options: {
				weights: { type: "string" },
				steps: { type: "string" },
				dtype: { type: "string" },
				adapter: { type: "string" },
				profile: { type: "boolean" },
				"no-subgroup-matrix": { type: "boolean" },
				json: { type: "string" },
				append: { type: "boolean" },
				help: { type: "boolean" },
			},
		});
	} catch (error) {
		throw new SyncHumanError("input", (error as Error).message.split(". ")[0], "See npm run bench -- --help.");
	}
}

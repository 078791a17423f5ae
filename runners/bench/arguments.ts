import { parseArgs } from "node:util";
import { SyncHumanError } from "../../engine/error.ts";

const benchmarks = [
	...(["all", "kernels", "memory", "gemm", "flexicubes", "step"] as const),
	...(["stage1", "stage2", "resident", "pshuman", "soak", "report"] as const),
] as const;

/** What `npm run bench` was asked to do. */
export interface BenchArguments {
	/**
	 * all: both stages; kernels: products, convolutions and attentions of one denoising step, each by itself; memory: its other kernels, likewise; gemm:
	 * products of square matrices; flexicubes: the mesh of 256^3 cubes; step: denoising steps; stage1, stage2:
	 * a whole stage; resident: both with staged and with resident weights, for their memory; pshuman: PSHuman's views; soak: generation after generation; report: table and chart of what --json has written.
	 */
	readonly benchmark: (typeof benchmarks)[number];
	/** Of `report`: the files. */
	readonly files: readonly string[];
	readonly weights: string;
	readonly dtype: "f16" | "f32" | undefined;
	readonly adapter: string | undefined;
	/** Denoising steps of `step`, stage1 and pshuman, flow steps of stage2, both of resident; undefined: 5 of `step`, otherwise the usual ones. */
	readonly steps: number | undefined;
	/** Runs of a stage (3), generations of a soak (20). */
	readonly runs: number | undefined;
	/** Adds GPU times per kernel and per layer; always of `all`, not of `kernels`, which are nothing else. */
	readonly profile: boolean;
	/** Leaves out the kernels on subgroup matrices. */
	readonly portable: boolean;
	/** Writes all rows as JSON to this file. */
	readonly json: string | undefined;
	/** Adds the rows to runners/results/<gpu>.csv; where it is not given, as for GPUs and not for software. */
	readonly append: boolean | undefined;
	/** Results of reference/stage*\/bench.py (PyTorch) to set ours beside. */
	readonly compare: readonly string[];
}

/** Text of `npm run bench -- --help`. */
export const benchHelp = `npm run bench -- [all|kernels|memory|gemm|flexicubes|step|stage1|stage2|resident|pshuman|soak] [options]
npm run bench -- report FILE...

  all       stage1 and stage2 with --profile (default)
  kernels   products, convolutions and attentions of one denoising step, each by itself, random data
  memory    norms, elementwise kernels and copies of one denoising step, likewise
  gemm      products of square matrices; with --no-subgroup-matrix the portable kernels
  flexicubes
            cube features of 256^3 on the GPU to a mesh on the host
  step      denoising steps of stage 1
  stage1    picture to views and voxels, part by part
  stage2    views and voxels to mesh and Gaussians, part by part
  resident  both stages, with weights loaded for each part and with weights that stay: memory planned, held and the driver's; exits with 1
            where their bytes differ
  pshuman   picture to PSHuman's views, part by part (40 steps)
  soak      whole generations, everything made and freed each time: no memory may stay; exits with 1 where it does
  report    FILEs are what --json wrote: docs/roofline-GPU.svg, and tables on standard output and between the marks of README.md

  --weights DIR|NAME   checkpoint folder, synthetic:tiny or synthetic:full (default)
  --steps N            denoising steps (step: 5, soak: 10), flow steps of stage2, both of resident
  --runs N             runs of a stage (3), generations of a soak (20)
  --dtype f16|f32      default f16 where the GPU has it
  --adapter NAME       part of a GPU's name, or software
  --profile            GPU time per kernel and per layer (step, stage1, stage2, pshuman)
  --no-subgroup-matrix portable kernels only
  --json FILE          all rows as JSON
  --append, --no-append
                       whether all rows go into runners/results/<gpu>.csv (default: for GPUs)
  --compare FILE       stage1.json or stage2.json of reference/stage*/bench.py: ratios to PyTorch; may be given twice`;

/** Reads the command line; undefined for --help. Throws code "input". */
export function benchArguments(argv: readonly string[]): BenchArguments | undefined {
	const { values, positionals } = parsed(argv);
	if (values.help) return undefined;
	const [benchmark = "all", ...files] = positionals;
	if (!isBenchmark(benchmark) || files.length > 0 !== (benchmark === "report")) {
		throw new SyncHumanError(
			"input",
			`bench: give one of ${benchmarks.join(", ")}, and files to report only, got ${positionals.join(" ")}`,
		);
	}
	const { dtype, steps, runs } = values;
	if (dtype !== undefined && dtype !== "f16" && dtype !== "f32")
		throw new SyncHumanError("input", `--dtype must be f16 or f32, got ${dtype}`);
	if (steps !== undefined && !/^[1-9]\d{0,3}$/.test(steps))
		throw new SyncHumanError("input", `--steps must be a whole number from 1 to 9999, got ${steps}`);
	if (runs !== undefined && !/^[1-9]\d{0,3}$/.test(runs))
		throw new SyncHumanError("input", `--runs must be a whole number from 1 to 9999, got ${runs}`);
	return {
		benchmark,
		files,
		weights: values.weights ?? "synthetic:full",
		dtype,
		adapter: values.adapter,
		steps: steps === undefined ? undefined : Number(steps),
		runs: runs === undefined ? undefined : Number(runs),
		profile: values.profile ?? benchmark === "all",
		portable: values["no-subgroup-matrix"] ?? false,
		json: values.json,
		append: values.append ?? (values["no-append"] ? false : undefined),
		compare: values.compare ?? [],
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
				runs: { type: "string" },
				dtype: { type: "string" },
				adapter: { type: "string" },
				profile: { type: "boolean" },
				"no-subgroup-matrix": { type: "boolean" },
				json: { type: "string" },
				append: { type: "boolean" },
				"no-append": { type: "boolean" },
				compare: { type: "string", multiple: true },
				help: { type: "boolean" },
			},
		});
	} catch (error) {
		throw new SyncHumanError("input", (error as Error).message.split(". ")[0], "See npm run bench -- --help.");
	}
}

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SyncHumanError } from "../engine/error.ts";
import type { Device } from "../engine/gpu/device.ts";
import type { Graph } from "../engine/graph/graph.ts";
import { samplePerson } from "../engine/image/samplePerson.ts";
import { bareContext, type MemoryPlan } from "../engine/stages/part.ts";
import { SyncHuman } from "../engine/synchuman.ts";
import type { Checkpoint } from "../weights/checkpoint.ts";
import { type BenchArguments, benchArguments, benchHelp } from "./bench/arguments.ts";
import { compareWith, comparisonText } from "./bench/compare.ts";
import { flexicubesRows } from "./bench/flexicubesRows.ts";
import { gemmGraph } from "./bench/gemmGraph.ts";
import { type KernelChoice, kernelRows } from "./bench/kernelRows.ts";
import { otherFigures } from "./bench/otherFigures.ts";
import { adapterFileName, appendResults, type BenchReport, groupedRows, medianRow, tableText, withBenchSection } from "./bench/report.ts";
import { measureResident } from "./bench/residentRows.ts";
import { ceilingsOf, rooflineSvg } from "./bench/roofline.ts";
import { driverMemory, resultHash, soak, soakProblems, soakText } from "./bench/soak.ts";
import { type MeasuredStage, measureStage, pshumanStage, synchumanStage } from "./bench/stageRows.ts";
import { measureSteps, recordedDiffusion, stepGraph } from "./bench/stepRows.ts";
import { kernelsMarkdown, partsText, profileTables, shapeOf, withoutShape } from "./bench/tables.ts";
import { chooseDevice } from "./chooseDevice.ts";
import { reportError } from "./errorReport.ts";
import { openPshumanWeights } from "./openPshumanWeights.ts";
import { openWeights } from "./openWeights.ts";
import { bytesText, planText } from "./planText.ts";
import { projectFolder } from "./project.ts";

// The command `npm run bench`.

const out = (text: string) => void process.stdout.write(text);
const say = (text: string) => void process.stderr.write(text);

/** Those that time single kernels, for which the GPU needs timestamps. */
const kernelBenchmarks: readonly string[] = ["kernels", "memory", "gemm"];

/** What a benchmark found; `failed` where results differ that must not. */
interface Found extends Pick<BenchReport, "rows" | "plans"> {
	readonly failed?: boolean;
}

type Benchmark = (device: Device, checkpoint: Checkpoint, dtype: "f16" | "f32", options: BenchArguments) => Promise<Found>;

const benchmarks: Readonly<Record<Exclude<BenchArguments["benchmark"], "pshuman" | "soak" | "report">, Benchmark>> = {
	async all(...given) {
		const first = await wholeStage("stage1")(...given);
		const second = await wholeStage("stage2")(...given);
		return { rows: [...first.rows, ...second.rows], plans: [...(first.plans ?? []), ...(second.plans ?? [])] };
	},
	kernels: kernelsOfStep("compute"),
	memory: kernelsOfStep("memory"),
	gemm: (device, _, dtype) => kernelTables(device, gemmGraph(device, dtype), "compute"),
	async flexicubes(device) {
		const rows = await flexicubesRows(device);
		out(partsText(rows));
		return { rows };
	},
	async step(device, checkpoint, dtype, { steps = 5, profile }) {
		const found = await measureSteps(bareContext(device), await recordedDiffusion(bareContext(device), checkpoint, dtype, steps), profile);
		const { dispatches, dispatchCount, plannedBytes, peakBytes } = found;
		const row = { ...medianRow({ name: "graph denoising", calls: 1 }, found.stepMs), plannedBytes, peakBytes };
		const [least, most] = row.spreadMs ?? [0, 0];
		out(`step: median ${row.elapsedMs.toFixed(2)} ms, ${least.toFixed(2)} to ${most.toFixed(2)}, ${dispatchCount} dispatches\n`);
		out(`weights ${found.loadSeconds.toFixed(2)} s; GPU memory ${bytesText(peakBytes)}, planned ${bytesText(plannedBytes)}\n`);
		const loop = { name: "denoising loop", calls: found.stepMs.length, ...found.loop };
		out(partsText([loop]));
		if (!profile) return { rows: [row, loop] };
		const busyMs = dispatches.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
		out(`GPU busy ${busyMs.toFixed(2)} ms, idle ${(100 * Math.max(0, 1 - busyMs / row.elapsedMs)).toFixed(1)} % of a step\n`);
		return { rows: [{ ...row, busyMs }, loop, ...profileTables(dispatches, out)] };
	},
	async resident(device, checkpoint, dtype, { steps }) {
		const { rows, plans, sameBytes } = await measureResident(device, { checkpoint, dtype, steps });
		out(`${partsText(rows)}${sameBytes ? "same bytes from all" : "the results differ"}\n`);
		for (const plan of distinct(plans)) out(`${planText(plan)}\n`);
		return { rows, plans: distinct(plans), failed: !sameBytes };
	},
	stage1: wholeStage("stage1"),
	stage2: wholeStage("stage2"),
};

/** The kernels of one denoising step, each by itself. */
function kernelsOfStep(bound: KernelChoice["bound"]): Benchmark {
	return async (device, checkpoint, dtype) =>
		kernelTables(device, stepGraph(await recordedDiffusion(bareContext(device), checkpoint, dtype, 1)), bound);
}

async function kernelTables(device: Device, graph: Graph, bound: KernelChoice["bound"]): Promise<Found> {
	const rows = await kernelRows(device, graph, { bound }, ({ name, shape, elapsedMs }) =>
		say(`${name} ${shape}: ${elapsedMs.toFixed(3)} ms\n`),
	);
	// Epilogues differ at the same shape.
	const shapes = groupedRows(rows, shapeOf);
	out(`${tableText(shapes)}\n${tableText(groupedRows(rows.map(withoutShape), ({ name }) => name))}`);
	return { rows: shapes };
}

function wholeStage(stage: "stage1" | "stage2"): Benchmark {
	return (device, checkpoint, dtype, options) =>
		measured(device, synchumanStage(stage, { checkpoint, dtype, steps: options.steps }), options);
}

/** The rows and plans of a stage, which are shown, too. */
async function measured(device: Device, stage: MeasuredStage, { runs = 3, profile }: BenchArguments): Promise<Found> {
	const { parts, dispatches, plans } = await measureStage(device, stage, { repeats: runs, profiled: profile, onPart: say });
	out(`\n${partsText(parts)}`);
	for (const plan of distinct(plans)) out(`${planText(plan)}\n`);
	const rows = [...parts];
	for (const [graph, timed] of dispatches) {
		out(`\n${graph}, one replay\n`);
		rows.push(...profileTables(timed, out).map((row) => ({ ...row, name: `${graph}: ${row.name}` })));
	}
	return { rows, plans: distinct(plans) };
}

function distinct(plans: readonly MemoryPlan[]): readonly MemoryPlan[] {
	return [...new Map(plans.map((plan) => [JSON.stringify(plan), plan])).values()];
}

/** Generation after generation with an engine of its own each time; false where memory stays. */
async function runSoak(device: Device, checkpoint: Checkpoint, dtype: "f16" | "f32", options: BenchArguments): Promise<boolean> {
	const { runs = 20, steps = 10 } = options;
	const samples = await soak(
		runs,
		async () => {
			const engine = await SyncHuman.open({ device, weights: checkpoint, dtype, maxMemory: Number.POSITIVE_INFINITY });
			try {
				return resultHash(await engine.generate(samplePerson(), { steps, stageTwoSteps: steps, textureSize: 0 }));
			} finally {
				engine.close();
			}
		},
		async () => {
			await device.idle();
			const { rss } = process.memoryUsage();
			return { bufferBytes: device.memory.currentBytes, driverBytes: await driverMemory(), residentSetBytes: rss };
		},
		(run, sample) => out(soakText(run, sample)),
	);
	const problems = soakProblems(samples);
	for (const problem of problems) out(`${problem}\n`);
	out(problems.length === 0 ? `passed: ${runs} generations\n` : "failed\n");
	return problems.length === 0;
}

/** Tables and the chart of reports that --json has written, into docs/ and between the marks of README.md. */
function report({ files, compare }: BenchArguments): void {
	const reports = files.map((file) => JSON.parse(readFileSync(file, "utf8")) as BenchReport);
	const [{ adapter, dtype, weights }] = reports;
	// PSHuman's graphs have the names of stage 1's.
	const rows = reports.flatMap((one) => (one.benchmark === "pshuman" ? [] : one.rows));
	const shaped = (kind: string) =>
		reports.flatMap((one) => (one.benchmark === kind ? one.rows : [])).filter(({ shape }) => shape !== undefined);
	const ofStep = [rows.filter(({ name }) => name.startsWith("graph denoising: ")), shaped("step")].find(({ length }) => length > 0);
	const kernels = ofStep ?? shaped("kernels");
	const what = `${ofStep === undefined ? "Kernels" : "One denoising step"} on ${adapter}, ${dtype}, ${weights}`;
	const comparisons = compare.flatMap((file) => compareWith(JSON.parse(readFileSync(file, "utf8")), rows));
	const tables = comparisons.length > 0 ? [comparisonText(comparisons)] : [];
	tables.push(...otherFigures(reports));
	if (kernels.length > 0) tables.push(`${what}:\n\n${kernelsMarkdown(kernels)}`);
	const ceilings = ceilingsOf(adapter);
	if (kernels.length === 0) say("no kernels of a step; no chart.\n");
	else if (ceilings === undefined) say(`${adapter}: nobody has measured its ceilings; no chart.\n`);
	else {
		const chart = `docs/roofline-${adapterFileName(adapter)}.svg`;
		writeFileSync(join(projectFolder, chart), rooflineSvg(kernels, what, ceilings));
		tables.push(`![${what}: kernels against the card's ceilings](${chart})\n`);
	}
	const section = tables.join("\n");
	out(`${partsText(rows.filter(({ shape }) => shape === undefined))}\n${section}`);
	const readme = join(projectFolder, "README.md");
	writeFileSync(readme, withBenchSection(readFileSync(readme, "utf8"), section));
}

/** Runs the command; the exit status. */
async function main(argv: readonly string[]): Promise<number> {
	const options = benchArguments(argv);
	if (options === undefined) {
		out(`${benchHelp}\n`);
		return 0;
	}
	const { benchmark } = options;
	if (benchmark === "report") {
		report(options);
		return 0;
	}
	const theirs = options.compare.map((file) => JSON.parse(readFileSync(file, "utf8")));
	const device = await chooseDevice({ adapter: options.adapter, disableSubgroupMatrix: options.portable });
	try {
		const { adapter, driver, f16, software, timestamps } = device.report;
		if (!timestamps && (kernelBenchmarks.includes(benchmark) || options.profile)) {
			throw new SyncHumanError("device", `${adapter} has no timestamp queries.`);
		}
		const dtype = options.dtype ?? (f16 ? "f16" : "f32");
		say(`${benchmark} of ${options.weights} in ${dtype} on ${adapter}, ${driver}\n`);
		let found: Found;
		if (benchmark === "pshuman") {
			const checkpoint = (await openPshumanWeights(options.weights)).checkpointFor(device);
			found = await measured(device, pshumanStage({ checkpoint, dtype, steps: options.steps }), options);
		} else {
			const weights = await openWeights(options.weights, benchmark === "stage2" ? ["2"] : benchmark === "stage1" ? ["1"] : ["1", "2"]);
			const checkpoint = weights.checkpointFor(device);
			if (benchmark === "soak") return (await runSoak(device, checkpoint, dtype, options)) ? 0 : 1;
			found = await benchmarks[benchmark](device, checkpoint, dtype, options);
		}
		if (theirs.length > 0) out(`\n${comparisonText(theirs.flatMap((json) => compareWith(json, found.rows)))}`);
		const { failed = false, ...measurements } = found;
		const result: BenchReport = { benchmark, adapter, driver, dtype, weights: options.weights, ...measurements };
		if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 1)}\n`);
		if (options.append ?? !software) out(`${appendResults(result)}\n`);
		return failed ? 1 : 0;
	} finally {
		device.close();
	}
}

try {
	process.exitCode = await main(process.argv.slice(2));
} catch (error) {
	process.exitCode = reportError(error, { json: false, out, say });
}

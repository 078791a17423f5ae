import { writeFileSync } from "node:fs";
import { SyncHumanError } from "../engine/error.ts";
import type { Device } from "../engine/gpu/device.ts";
import type { Checkpoint } from "../weights/checkpoint.ts";
import { type BenchArguments, benchArguments, benchHelp } from "./bench/arguments.ts";
import { kernelRows } from "./bench/kernelRows.ts";
import { appendResults, type BenchRow, groupedRows, tableText } from "./bench/report.ts";
import { measureStage } from "./bench/stageRows.ts";
import { bareContext, measureSteps, recordedDiffusion, stepGraph } from "./bench/stepRows.ts";
import { chooseDevice } from "./chooseDevice.ts";
import { reportError } from "./errorReport.ts";
import { openWeights } from "./openWeights.ts";
import { bytesText } from "./planText.ts";

// The command `npm run bench`.

const out = (text: string) => void process.stdout.write(text);
const say = (text: string) => void process.stderr.write(text);

const benchmarks: Readonly<
	Record<
		BenchArguments["benchmark"],
		(device: Device, checkpoint: Checkpoint, dtype: "f16" | "f32", options: BenchArguments) => Promise<readonly BenchRow[]>
	>
> = {
	async kernels(device, checkpoint, dtype) {
		const diffusion = await recordedDiffusion(bareContext(device), checkpoint, dtype, 1);
		const rows = await kernelRows(device, stepGraph(diffusion), ({ name, shape, elapsedMs }) =>
			say(`${name} ${shape}: ${elapsedMs.toFixed(3)} ms\n`),
		);
		// Epilogues differ at the same shape.
		const shapes = groupedRows(rows, shapeOf);
		out(`${tableText(shapes)}\n${tableText(groupedRows(rows.map(withoutShape), nameOf))}`);
		return shapes;
	},
	async step(device, checkpoint, dtype, { steps = 5, profile }) {
		const found = await measureSteps(bareContext(device), await recordedDiffusion(bareContext(device), checkpoint, dtype, steps), profile);
		const sorted = found.stepMs.toSorted((a, b) => a - b);
		const median = sorted[Math.floor(sorted.length / 2)];
		const { dispatches, dispatchCount, plannedBytes, peakBytes } = found;
		out(
			`step: median ${median.toFixed(2)} ms, ${sorted[0].toFixed(2)} to ${sorted[sorted.length - 1].toFixed(2)}, ${dispatchCount} dispatches\n`,
		);
		out(`weights ${found.loadSeconds.toFixed(2)} s; GPU memory ${bytesText(peakBytes)}, planned ${bytesText(plannedBytes)}\n`);
		const rows: BenchRow[] = [{ name: "step", calls: 1, elapsedMs: median, plannedBytes, peakBytes }];
		if (!profile) return rows;
		const busy = dispatches.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
		out(`GPU busy ${busy.toFixed(2)} ms, idle ${(100 * Math.max(0, 1 - busy / median)).toFixed(1)} % of a step\n`);
		return [...rows, ...profileTables(dispatches)];
	},
	stage1: (device, checkpoint, dtype, options) => wholeStage(device, checkpoint, dtype, "stage1", options),
	stage2: (device, checkpoint, dtype, options) => wholeStage(device, checkpoint, dtype, "stage2", options),
};

async function wholeStage(
	device: Device,
	checkpoint: Checkpoint,
	dtype: "f16" | "f32",
	stage: "stage1" | "stage2",
	{ steps, profile }: BenchArguments,
): Promise<readonly BenchRow[]> {
	const { parts, dispatches } = await measureStage(device, checkpoint, stage, { dtype, steps, profiled: profile, onPart: say });
	for (const { name, elapsedMs, peakBytes, plannedBytes } of parts) {
		const memory = peakBytes === undefined ? "" : `, ${bytesText(peakBytes)} of GPU memory, planned ${bytesText(plannedBytes ?? 0)}`;
		out(`${name}: ${(elapsedMs / 1000).toFixed(3)} s${memory}\n`);
	}
	out(`together: ${(parts.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0) / 1000).toFixed(3)} s\n`);
	const rows = [...parts];
	for (const [part, timed] of dispatches) {
		out(`\n${part}, one run of its graphs\n`);
		rows.push(...profileTables(timed).map((row) => ({ ...row, name: `${part}: ${row.name}` })));
	}
	return rows;
}

/** Prints the dispatches of a profile by kernel and shape, by kernel, and by layer; gives the first of these. */
function profileTables(dispatches: readonly BenchRow[]): readonly BenchRow[] {
	const kernels = groupedRows(dispatches.map(kernelOf), shapeOf);
	out(`\n${tableText(kernels, 60)}`);
	out(`\n${tableText(groupedRows(kernels.map(withoutShape), nameOf))}`);
	out(`\n${tableText(groupedRows(dispatches.map(layerOf), nameOf), 60)}`);
	return kernels;
}

const nameOf = ({ name }: BenchRow) => name;
const shapeOf = ({ name, shape }: BenchRow) => `${name} ${shape}`;
const withoutShape = ({ shape, ...row }: BenchRow): BenchRow => row;

/** A dispatch's row, named by its shader. */
function kernelOf(row: BenchRow): BenchRow {
	return { ...row, name: row.name.slice(row.name.lastIndexOf("| ") + 2) };
}

/** A dispatch's row, named by the layer it belongs to: the first three names of its path. */
function layerOf(dispatch: BenchRow): BenchRow {
	const row = withoutShape(dispatch);
	const [path] = row.name.slice(0, row.name.lastIndexOf(" | ")).split("/");
	return { ...row, name: path.split(".").slice(0, 3).join(".") };
}

async function main(argv: readonly string[]): Promise<void> {
	const options = benchArguments(argv);
	if (options === undefined) return out(`${benchHelp}\n`);
	const device = await chooseDevice({ adapter: options.adapter, disableSubgroupMatrix: options.portable });
	try {
		const { report } = device;
		if (!report.timestamps && (options.benchmark === "kernels" || options.profile)) {
			throw new SyncHumanError("device", `${report.adapter} has no timestamp queries.`);
		}
		const dtype = options.dtype ?? (report.f16 ? "f16" : "f32");
		say(`${options.benchmark} of ${options.weights} in ${dtype} on ${report.adapter}, ${report.driver}\n`);
		const weights = await openWeights(options.weights, options.benchmark === "stage2" ? ["2"] : ["1"]);
		const rows = await benchmarks[options.benchmark](device, weights.checkpointFor(device), dtype, options);
		const { adapter, driver } = report;
		const result = { benchmark: options.benchmark, adapter, driver, dtype, weights: options.weights, rows };
		if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 1)}\n`);
		if (options.append) out(`${appendResults(result)}\n`);
	} finally {
		device.close();
	}
}

try {
	await main(process.argv.slice(2));
} catch (error) {
	process.exitCode = reportError(error, { json: false, out, say });
}

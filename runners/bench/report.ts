import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { MemoryPlan } from "../../engine/stages/part.ts";
import { buildReport, projectFolder } from "../project.ts";

/** One measured thing: a kernel at a shape, a layer, or a part. */
export interface BenchRow {
	readonly name: string;
	readonly shape?: string;
	/** Calls in one run; of a part its steps. */
	readonly calls: number;
	/** Of all calls together; the median where there were several runs. */
	readonly elapsedMs: number;
	/** Least and most of the runs that `elapsedMs` is the median of. */
	readonly spreadMs?: readonly [least: number, most: number];
	/** Sum of the dispatches' GPU times: what is missing to `elapsedMs` the GPU was idle. */
	readonly busyMs?: number;
	readonly flops?: number;
	readonly bytes?: number;
	/** Largest GPU memory, held and as planned. */
	readonly peakBytes?: number;
	readonly plannedBytes?: number;
}

/** A row whose time is the median of several runs, with their spread. */
export function medianRow(row: Omit<BenchRow, "elapsedMs">, runsMs: readonly number[]): BenchRow {
	const sorted = [...runsMs].sort((a, b) => a - b);
	return { ...row, elapsedMs: sorted[Math.floor(sorted.length / 2)], spreadMs: [sorted[0], sorted[sorted.length - 1]] };
}

/** Share of a row's time in which the GPU was idle, in [0, 1]; undefined where its busy time is not known. */
export function idleShare({ elapsedMs, busyMs }: BenchRow): number | undefined {
	return busyMs === undefined ? undefined : Math.max(0, 1 - busyMs / elapsedMs);
}

/** Rows as a table, slowest first, with rates and shares of the whole; `most` rows, the others summed up in a last line. */
export function tableText(rows: readonly BenchRow[], most = Number.POSITIVE_INFINITY): string {
	const total = rows.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
	const sorted = [...rows].sort((a, b) => b.elapsedMs - a.elapsedMs);
	const line = ({ name, shape, calls, elapsedMs, flops = 0, bytes = 0 }: BenchRow) => [
		name,
		shape ?? "",
		String(calls),
		elapsedMs.toFixed(3),
		`${((100 * elapsedMs) / total).toFixed(1)} %`,
		flops > 0 ? (flops / elapsedMs / 1e9).toFixed(1) : "",
		bytes > 0 ? (bytes / elapsedMs / 1e6).toFixed(0) : "",
	];
	const cells = [["", "shape", "calls", "ms", "share", "TFLOP/s", "GB/s"], ...sorted.slice(0, most).map(line)];
	const rest = sorted.slice(most);
	if (rest.length > 0) cells.push(line(summed(`${rest.length} others`, rest)));
	cells.push(line(summed("all", rows)));
	const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
	return cells
		.map((row) => row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  "))
		.map((text) => `${text.trimEnd()}\n`)
		.join("");
}

/** All rows as one. Only rows with FLOPs count towards the rate where some have them. */
function summed(name: string, rows: readonly BenchRow[]): BenchRow {
	const sum = (of: (row: BenchRow) => number | undefined) => rows.reduce((all, row) => all + (of(row) ?? 0), 0);
	return {
		name,
		calls: sum(({ calls }) => calls),
		elapsedMs: sum(({ elapsedMs }) => elapsedMs),
		flops: sum(({ flops }) => flops),
		bytes: sum(({ bytes }) => bytes),
	};
}

/** Rows of one key as one row, in order of first appearance. */
export function groupedRows(rows: readonly BenchRow[], keyOf: (row: BenchRow) => string): readonly BenchRow[] {
	const groups = new Map<string, BenchRow[]>();
	for (const row of rows) {
		const key = keyOf(row);
		const group = groups.get(key);
		if (group) group.push(row);
		else groups.set(key, [row]);
	}
	return [...groups.values()].map((group) => ({ ...group[0], ...summed(group[0].name, group) }));
}

/** What a benchmark ran on and gave, for --json and the CSV of its GPU. */
export interface BenchReport {
	readonly benchmark: string;
	readonly adapter: string;
	readonly driver: string;
	readonly dtype: string;
	readonly weights: string;
	readonly rows: readonly BenchRow[];
	/** GPU memory by stage, planned before anything was allocated. */
	readonly plans?: readonly MemoryPlan[];
}

/** `text` with what stands between two marks replaced by `content`; as it is where there are no marks. */
export function withBenchSection(text: string, content: string): string {
	return text.replace(/(<!-- bench -->\n)[\s\S]*?(<!-- \/bench -->)/, (_, begin, end) => `${begin}${content}${end}`);
}

/** Name of an adapter in file names. */
export function adapterFileName(adapter: string): string {
	return adapter.replace(/[^A-Za-z0-9.-]+/g, "-").toLowerCase();
}

const columns =
	"date,version,commit,benchmark,dtype,weights,driver,name,shape,calls,ms,tflops_per_second,gb_per_second,peak_bytes,planned_bytes,least_ms,most_ms,idle_share";

/** Adds a report to runners/results/<gpu>.csv; gives the file's path. */
export function appendResults(report: BenchReport, folder = join(projectFolder, "runners", "results")): string {
	const { version, commit } = buildReport();
	const file = join(folder, `${adapterFileName(report.adapter)}.csv`);
	mkdirSync(folder, { recursive: true });
	if (!existsSync(file)) appendFileSync(file, `${columns}\n`);
	const date = new Date().toISOString().slice(0, 10);
	const cell = (value: string | number | undefined) => {
		const text = value === undefined ? "" : String(value);
		return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
	};
	const lines = report.rows.map((row) => {
		const { name, shape, calls, elapsedMs, flops = 0, bytes = 0, peakBytes, plannedBytes, spreadMs } = row;
		return [
			...[date, version, commit ?? "", report.benchmark, report.dtype, report.weights, report.driver, name, shape, calls],
			...[
				elapsedMs.toFixed(3),
				flops > 0 ? (flops / elapsedMs / 1e9).toFixed(1) : "",
				bytes > 0 ? (bytes / elapsedMs / 1e6).toFixed(0) : "",
			],
			...[peakBytes, plannedBytes, spreadMs?.[0].toFixed(3), spreadMs?.[1].toFixed(3), idleShare(row)?.toFixed(3)],
		]
			.map(cell)
			.join(",");
	});
	appendFileSync(file, `${lines.join("\n")}\n`);
	return file;
}

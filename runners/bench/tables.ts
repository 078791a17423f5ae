import { bytesText } from "../planText.ts";
import { type BenchRow, groupedRows, idleShare, tableText } from "./report.ts";

/** Key of a row's kernel and shape. */
export const shapeOf = ({ name, shape }: BenchRow): string => `${name} ${shape}`;

const nameOf = ({ name }: BenchRow) => name;

/** The row of all shapes together. */
export function withoutShape({ shape, ...row }: BenchRow): BenchRow {
	return row;
}

/** Prints the dispatches of a profile by kernel and shape, by kernel, and by layer; gives the first of these. */
export function profileTables(dispatches: readonly BenchRow[], out: (text: string) => void): readonly BenchRow[] {
	const kernels = groupedRows(dispatches.map(kernelOf), shapeOf);
	out(`\n${tableText(kernels, 60)}`);
	out(`\n${tableText(groupedRows(kernels.map(withoutShape), nameOf))}`);
	out(`\n${tableText(groupedRows(dispatches.map(layerOf), nameOf), 60)}`);
	return kernels;
}

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

/** Parts and graphs line by line: median, spread, idle share, memory held and planned. */
export function partsText(rows: readonly BenchRow[]): string {
	const lines = rows.map((row) => {
		const { name, elapsedMs, spreadMs, peakBytes, plannedBytes } = row;
		const spread = spreadMs === undefined ? "" : ` (${spreadMs.map((ms) => ms.toFixed(1)).join(" to ")})`;
		const idle = idleShare(row);
		const idleText = idle === undefined ? "" : `, GPU idle ${(100 * idle).toFixed(1)} %`;
		const memory = peakBytes === undefined ? "" : `, ${bytesText(peakBytes)} of GPU memory, planned ${bytesText(plannedBytes ?? 0)}`;
		return `${name}: ${elapsedMs.toFixed(1)} ms${spread}${idleText}${memory}\n`;
	});
	return lines.join("");
}

/** The slowest kernels as lines of a Markdown table, the others summed up. */
export function kernelsMarkdown(rows: readonly BenchRow[], most = 8): string {
	const kernels = groupedRows(
		rows.map((row) => withoutShape({ ...row, name: row.name.replace(/^graph [^:]*: /, "") })),
		nameOf,
	);
	const sorted = kernels.toSorted((a, b) => b.elapsedMs - a.elapsedMs);
	const total = rows.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
	const cells = ({ name, calls, elapsedMs, flops = 0, bytes = 0 }: BenchRow) =>
		`| ${name} | ${calls} | ${elapsedMs.toFixed(1)} | ${((100 * elapsedMs) / total).toFixed(1)} % | ${flops > 0 ? (flops / elapsedMs / 1e9).toFixed(0) : ""} | ${(bytes / elapsedMs / 1e6).toFixed(0)} |\n`;
	const others = sorted.slice(most);
	const rest = groupedRows(
		others.map((row) => ({ ...row, name: `${others.length} others`, flops: 0 })),
		nameOf,
	);
	return `| kernel | calls | ms | share | TFLOP/s | GB/s |\n|---|---|---|---|---|---|\n${[...sorted.slice(0, most), ...rest].map(cells).join("")}`;
}

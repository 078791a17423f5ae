import type { BenchReport, BenchRow } from "./report.ts";
import { idleShare } from "./report.ts";

/** Images of a denoising step with guidance: PSHuman's seven views and SyncHuman's five, each in two domains and two halves. */
const images = Object.freeze({ pshuman: 28, synchuman: 20 });

const milliseconds = (ms: number) => `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
const gigabytes = (bytes: number | undefined) => (bytes === undefined ? "" : `, ${(bytes / 1e9).toFixed(2)} GB of GPU memory`);

/**
 * What reports say beside the parts that PyTorch's benchmarks have: lines of a Markdown table, each with what was measured and its figure; those
 * without a report are left out.
 */
export function otherFigures(reports: readonly BenchReport[]): readonly string[] {
	const of = (benchmark: string) => reports.filter((report) => report.benchmark === benchmark).flatMap(({ rows }) => rows);
	const lines: string[] = [];
	const line = (what: string, figure: string) => lines.push(`| ${what} | ${figure} |\n`);

	const loop = of("step").find(({ name }) => name === "denoising loop");
	const idle = loop && idleShare(loop);
	if (loop) {
		const share = idle === undefined ? "" : `; the GPU idle ${(100 * idle).toFixed(1)} % of them`;
		line(`${loop.calls} denoising steps of stage 1 as the engine runs them`, `${milliseconds(loop.elapsedMs / loop.calls)} a step${share}`);
	}
	const views = of("pshuman").find(({ name }) => name === "diffusion");
	if (views) {
		const step = views.elapsedMs / views.calls;
		const scaled = loop && (loop.elapsedMs / loop.calls) * (images.pshuman / images.synchuman);
		const ratio =
			scaled === undefined
				? ""
				: `, ${(step / scaled).toFixed(2)} of what SyncHuman's takes for as many images (${images.pshuman} for ${images.synchuman})`;
		line(`PSHuman's views, ${views.calls} steps`, `${milliseconds(step)} a step${ratio}${gigabytes(views.peakBytes)}`);
	}
	for (const { name, shape, elapsedMs, peakBytes } of of("flexicubes"))
		line(`${name} (${shape})`, `${milliseconds(elapsedMs)}${gigabytes(peakBytes)}`);
	for (const row of of("gemm")) {
		if (!row.shape?.startsWith("8192")) continue;
		const kernels = row.name.includes("SubgroupMatrix") ? "on subgroup matrices" : "portable kernels (`--no-subgroup-matrix`)";
		line(`product of 8192^3, ${kernels}`, `${((row.flops ?? 0) / row.elapsedMs / 1e9).toFixed(0)} TFLOP/s`);
	}
	const memory = of("memory");
	if (memory.length > 0) {
		const rate = (rows: readonly BenchRow[]) =>
			rows.reduce((sum, { bytes = 0 }) => sum + bytes, 0) / rows.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0) / 1e6;
		const some = (pattern: RegExp) => rate(memory.filter(({ name }) => pattern.test(name))).toFixed(0);
		line(
			"kernels of a step that move more than they compute, each by itself",
			`${rate(memory).toFixed(0)} GB/s (layer norms ${some(/layerNorm/)}, group norms ${some(/groupNorm/)})`,
		);
	}
	return lines.length === 0 ? [] : [`| measured by itself | |\n|---|---|\n${lines.join("")}`];
}

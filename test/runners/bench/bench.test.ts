import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Graph } from "../../../engine/graph/graph.ts";
import { attention } from "../../../engine/kernels/dense/attention.ts";
import { convolution } from "../../../engine/kernels/dense/convolution.ts";
import { elementwise } from "../../../engine/kernels/dense/elementwise.ts";
import { matmul } from "../../../engine/kernels/dense/matmul.ts";
import { benchArguments } from "../../../runners/bench/arguments.ts";
import { dispatchWork } from "../../../runners/bench/dispatchWork.ts";
import { kernelRows } from "../../../runners/bench/kernelRows.ts";
import { appendResults, groupedRows, idleShare, medianRow, tableText, withBenchSection } from "../../../runners/bench/report.ts";
import { kernelsMarkdown, partsText } from "../../../runners/bench/tables.ts";
import { testDevice } from "../../support/gpu.ts";

describe("benchArguments", () => {
	it("has defaults and reads every option", () => {
		expect(benchArguments(["kernels"])).toMatchObject({ benchmark: "kernels", weights: "synthetic:full", profile: false, files: [] });
		expect(benchArguments(["kernels"])?.append).toBeUndefined();
		expect(benchArguments(["--no-append"])).toMatchObject({ benchmark: "all", profile: true, append: false, compare: [] });
		expect(benchArguments(["report", "a.json", "b.json"])).toMatchObject({ files: ["a.json", "b.json"] });
		expect(benchArguments(["soak", "--runs", "5", "--compare", "a", "--compare", "b"])).toMatchObject({ runs: 5, compare: ["a", "b"] });
		const options = ["--steps", "3", "--dtype", "f32", "--profile", "--json", "x.json", "--append", "--no-subgroup-matrix"];
		expect(benchArguments(["step", ...options])).toMatchObject({ steps: 3, dtype: "f32", profile: true, json: "x.json", portable: true });
		expect(benchArguments(["--help"])).toBeUndefined();
	});

	it("refuses what it does not know", () => {
		expect(() => benchArguments(["report"])).toThrow(
			/give one of all, kernels, memory, gemm, flexicubes, step, stage1, stage2, resident, pshuman, soak, report, and files to report only/,
		);
		expect(() => benchArguments(["step", "x.json"])).toThrow(/got step x\.json/);
		expect(() => benchArguments(["steps"])).toThrow(/got steps/);
		expect(() => benchArguments(["step", "--steps", "0"])).toThrow(/--steps must be a whole number/);
		expect(() => benchArguments(["step", "--dtype", "bf16"])).toThrow(/f16 or f32/);
		expect(() => benchArguments(["step", "--fast"])).toThrow(/--fast/);
	});
});

describe("medians", () => {
	it("come with their spread, and the idle share where the busy time is known", () => {
		const row = medianRow({ name: "a", calls: 1 }, [4, 2, 3]);
		expect(row).toEqual({ name: "a", calls: 1, elapsedMs: 3, spreadMs: [2, 4] });
		expect([idleShare(row), idleShare({ ...row, busyMs: 2.4 })]).toEqual([undefined, expect.closeTo(0.2, 6)]);
		const text = partsText([{ ...row, busyMs: 2.4, peakBytes: 2 ** 20, plannedBytes: 2 ** 21 }]);
		expect(text).toBe("a: 3.0 ms (2.0 to 4.0), GPU idle 20.0 %, 1.0 MiB of GPU memory, planned 2.0 MiB\n");
	});

	it("stand between the marks of the README", () => {
		const text = "a\n<!-- bench -->\nold $1\n<!-- /bench -->\nb\n";
		expect(withBenchSection(text, "new $1\n")).toBe("a\n<!-- bench -->\nnew $1\n<!-- /bench -->\nb\n");
		expect(withBenchSection("a\n", "new\n")).toBe("a\n");
	});

	it("become a table for the README, the others summed up", () => {
		const rows = [1, 2, 3].map((i) => ({
			name: `graph g: k${i}`,
			shape: "s",
			calls: 1,
			elapsedMs: i,
			flops: i === 3 ? 3e12 : 0,
			bytes: 6e6,
		}));
		expect(kernelsMarkdown(rows, 1).split("\n").slice(2)).toEqual([
			"| k3 | 1 | 3.0 | 50.0 % | 1000 | 2 |",
			"| 2 others | 2 | 3.0 | 50.0 % |  | 4 |",
			"",
		]);
	});
});

describe("tables", () => {
	const rows = [
		{ name: "a", shape: "1", calls: 2, elapsedMs: 1, flops: 2e9, bytes: 3e6 },
		{ name: "b", shape: "2", calls: 1, elapsedMs: 3, bytes: 3e6 },
		{ name: "a", shape: "1", calls: 1, elapsedMs: 1, flops: 2e9, bytes: 3e6 },
	];

	it("add rows of a key up", () => {
		expect(groupedRows(rows, ({ name }) => name)).toEqual([
			{ name: "a", shape: "1", calls: 3, elapsedMs: 2, flops: 4e9, bytes: 6e6 },
			{ name: "b", shape: "2", calls: 1, elapsedMs: 3, flops: 0, bytes: 3e6 },
		]);
	});

	it("show the slowest first, rates, shares and the sum", () => {
		const lines = tableText(groupedRows(rows, ({ name }) => name)).split("\n");
		expect(lines.map((line) => line.split(/\s+/))).toEqual([
			["", "shape", "calls", "ms", "share", "TFLOP/s", "GB/s"],
			["b", "2", "1", "3.000", "60.0", "%", "1"],
			["a", "1", "3", "2.000", "40.0", "%", "2.0", "3"],
			["all", "4", "5.000", "100.0", "%", "0.8", "2"],
			[""],
		]);
		expect(tableText(rows, 1)).toMatch(/2 others +3 +2\.000/);
	});

	it("become lines of the GPU's CSV, the header once", () => {
		const folder = mkdtempSync(join(tmpdir(), "bench-"));
		try {
			const report = { benchmark: "kernels", adapter: "NVIDIA H200", driver: "580, x", dtype: "f16", weights: "synthetic:full", rows };
			const file = appendResults(report, folder);
			expect(file).toBe(join(folder, "nvidia-h200.csv"));
			appendResults({ ...report, rows: rows.slice(0, 1) }, folder);
			const lines = readFileSync(file, "utf8").trimEnd().split("\n");
			expect(lines).toHaveLength(5);
			expect(lines[0]).toMatch(/^date,version,commit,benchmark/);
			expect(lines[1]).toMatch(/,kernels,f16,synthetic:full,"580, x",a,1,2,1\.000,2\.0,3,,,,,$/);
			for (const line of lines.slice(1)) expect(line.replace(/"[^"]*"/, "").split(",")).toHaveLength(lines[0].split(",").length);
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});

describe("work of a dispatch", () => {
	it("is counted for products, convolutions and attention, which are timed by themselves", async () => {
		const device = await testDevice();
		const graph = new Graph(device, "work");
		const tensor = (shape: readonly number[]) => graph.input("x", "f32", shape);
		matmul(graph, { x: tensor([6, 8]), weight: tensor([12, 8]) });
		matmul(graph, { x: tensor([6, 8]), weight: tensor([12, 8]) });
		convolution(graph, { x: tensor([2, 5, 5, 4]), weight: tensor([8, 3, 3, 4]), padding: 1 });
		const qkv = { tensor: tensor([2 * 7, 3 * 16]) };
		attention(graph, {
			q: qkv,
			k: { ...qkv, column: 16 },
			v: { ...qkv, column: 32 },
			heads: 2,
			headSize: 8,
			sequences: 2,
			queries: 7,
			keys: 7,
		});
		const work = graph.dispatches.map(dispatchWork);
		expect(work.map(({ flops }) => flops)).toEqual([1152, 1152, 2 * 50 * 8 * 36, 4 * 2 * 2 * 49 * 8]);
		expect(work[0].bytes).toBe(4 * (6 * 8 + 12 * 8 + 6 * 12));
		expect(work[2].shape).toBe("50 x 4 x 9 taps -> 8");
		expect(work[3].shape).toBe("2 x 2 heads of 8, 7 x 7");
		const before = device.memory.currentBytes;
		if (!device.report.timestamps) return;
		const rows = await kernelRows(device, graph, { bound: "compute" });
		expect(rows.map(({ calls }) => calls)).toEqual([2, 1, 1]);
		for (const { elapsedMs } of rows) expect(elapsedMs).toBeGreaterThan(0);
		const blocks = new Graph(device, "blocks");
		matmul(blocks, { x: blocks.input("x", "f32", [6, 32]), weight: { ...blocks.input("w", "f32", [8, 32]), inBlocks: true } });
		expect(await kernelRows(device, blocks, { bound: "compute" })).toHaveLength(1);
		elementwise(graph, { x: tensor([6, 8]), factor: tensor([6, 8]) });
		expect(await kernelRows(device, graph, { bound: "memory" })).toMatchObject([{ name: "dense/elementwise", calls: 1, flops: 0 }]);
		expect(device.memory.currentBytes).toBe(before);
	});
});

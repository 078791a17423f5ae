import { expect, it } from "vitest";
import { otherFigures } from "../../../runners/bench/otherFigures.ts";

const report = (benchmark: string, ...rows: readonly object[]) =>
	({ benchmark, adapter: "a", driver: "d", dtype: "f16", weights: "w", rows }) as Parameters<typeof otherFigures>[0][number];

it("says what reports hold beside PyTorch's parts", () => {
	const text = otherFigures([
		report("step", { name: "denoising loop", calls: 10, elapsedMs: 3000, busyMs: 2970 }),
		report("pshuman", { name: "diffusion", calls: 40, elapsedMs: 16800, peakBytes: 4.2e9 }),
		report("flexicubes", { name: "FlexiCubes 256^3", shape: "9 cubes", calls: 1, elapsedMs: 9.94, peakBytes: 2e8 }),
		report("gemm", { name: "dense/matmulVectors", shape: "8192 x 8192 -> 8192", calls: 1, elapsedMs: 32, flops: 1.0995e12 }),
		report(
			"memory",
			{ name: "dense/layerNormVectors", calls: 1, elapsedMs: 1, bytes: 3e9 },
			{ name: "dense/groupNorm", calls: 1, elapsedMs: 1, bytes: 1e9 },
		),
	]).join("");
	expect(text.split("\n").slice(2)).toEqual([
		"| 10 denoising steps of stage 1 as the engine runs them | 300 ms a step; the GPU idle 1.0 % of them |",
		"| PSHuman's views, 40 steps | 420 ms a step, 1.00 of what SyncHuman's takes for as many images (28 for 20), 4.20 GB of GPU memory |",
		"| FlexiCubes 256^3 (9 cubes) | 9.9 ms, 0.20 GB of GPU memory |",
		"| product of 8192^3, portable kernels (`--no-subgroup-matrix`) | 34 TFLOP/s |",
		"| kernels of a step that move more than they compute, each by itself | 2000 GB/s (layer norms 3000, group norms 1000) |",
		"",
	]);
	expect(otherFigures([report("stage1")])).toEqual([]);
});

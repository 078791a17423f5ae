import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { convolution } from "../../../engine/kernels/dense/convolution.ts";
import { convolutionExtent } from "../../../engine/kernels/dense/convolutionGeometry.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

interface Case {
	name: string;
	images: number;
	extent: number[];
	channels: number;
	columns: number;
	kernel: number[];
	stride?: number;
	padding?: number | [number, number][];
	upsample?: number;
	dilation?: number;
}

/** Direct convolution in f64 over 2 or 3 axes (2 is 3 with a leading axis of 1). */
function reference(c: Case, x: Float32Array, w: Float32Array, bias: Float32Array): Float64Array {
	const { stride = 1, upsample = 1, padding = 0, dilation = 1 } = c;
	const three = (a: number[], fill: number) => (a.length === 3 ? a : [fill, ...a]);
	const extent = three(c.extent, 1);
	const kernel = three(c.kernel, 1);
	const out = three(convolutionExtent({ extent: c.extent, kernel: c.kernel, stride, upsample, padding, dilation }), 1);
	const before = three(typeof padding === "number" ? c.extent.map(() => padding) : padding.map((p) => p[0]), 0);
	const steps = c.extent.length === 3 ? [stride, stride, stride] : [1, stride, stride];
	const up = c.extent.length === 3 ? [upsample, upsample, upsample] : [1, upsample, upsample];
	const y = new Float64Array(c.images * out[0] * out[1] * out[2] * c.columns);
	let write = 0;
	for (let image = 0; image < c.images; image++)
		for (let a = 0; a < out[0]; a++)
			for (let b = 0; b < out[1]; b++)
				for (let d = 0; d < out[2]; d++)
					for (let n = 0; n < c.columns; n++) {
						let sum = bias[n];
						for (let i = 0; i < kernel[0]; i++)
							for (let j = 0; j < kernel[1]; j++)
								for (let k = 0; k < kernel[2]; k++) {
									const p = [
										a * steps[0] + i - before[0],
										b * steps[1] + j * dilation - before[1],
										d * steps[2] + k * dilation - before[2],
									];
									if (p.some((v, axis) => v < 0 || v >= extent[axis] * up[axis])) continue;
									const [p0, p1, p2] = p.map((v, axis) => Math.floor(v / up[axis]));
									const at = (((image * extent[0] + p0) * extent[1] + p1) * extent[2] + p2) * c.channels;
									const wAt = (((n * kernel[0] + i) * kernel[1] + j) * kernel[2] + k) * c.channels;
									for (let ch = 0; ch < c.channels; ch++) sum += x[at + ch] * w[wAt + ch];
								}
						y[write++] = sum;
					}
	return y;
}

describe("convolution", () => {
	const cases: Case[] = [
		{ name: "3x3 with dilation 2", images: 2, extent: [7, 5], channels: 4, columns: 8, kernel: [3, 3], padding: 2, dilation: 2 },
		{
			name: "3x3 with dilation 8 on a small map",
			images: 1,
			extent: [6, 9],
			channels: 3,
			columns: 5,
			kernel: [3, 3],
			padding: 8,
			dilation: 8,
		},
		{ name: "3x3 with padding 1", images: 2, extent: [7, 5], channels: 3, columns: 9, kernel: [3, 3], padding: 1 },
		{ name: "3x3 to few columns", images: 2, extent: [7, 6], channels: 20, columns: 4, kernel: [3, 3], padding: 1 },
		{ name: "1x1", images: 3, extent: [4, 4], channels: 20, columns: 33, kernel: [1, 1] },
		{ name: "stride 2 with padding 1", images: 2, extent: [8, 6], channels: 4, columns: 5, kernel: [3, 3], padding: 1, stride: 2 },
		{
			name: "stride 2 padded right and bottom only (VAE encoder)",
			images: 1,
			extent: [8, 8],
			channels: 8,
			columns: 8,
			kernel: [3, 3],
			stride: 2,
			padding: [
				[0, 1],
				[0, 1],
			],
		},
		{ name: "nearest 2x fused", images: 2, extent: [5, 3], channels: 6, columns: 7, kernel: [3, 3], padding: 1, upsample: 2 },
		{ name: "14x14 patches", images: 1, extent: [28, 42], channels: 3, columns: 10, kernel: [14, 14], stride: 14 },
		{ name: "3x3x3", images: 2, extent: [4, 3, 5], channels: 5, columns: 6, kernel: [3, 3, 3], padding: 1 },
		{ name: "a real shape, 320 channels at 12x12", images: 1, extent: [12, 12], channels: 320, columns: 64, kernel: [3, 3], padding: 1 },
	];
	for (const dtype of ["f32", "f16"] as const) {
		for (const c of cases) {
			it(`${c.name} in ${dtype}`, async () => {
				const inner = c.kernel.reduce((a, b) => a * b, c.channels);
				const count = c.extent.reduce((a, b) => a * b, c.images * c.channels);
				// Multiples of 1/64: exact in f16.
				const onGrid = (v: number) => Math.round(v * 64) / 64;
				const x = randomValues(count, 1).map(onGrid);
				const w = randomValues(c.columns * inner, 2).map(onGrid);
				const bias = randomValues(c.columns, 3);
				const [y] = await runGraph(device, (graph) =>
					convolution(graph, {
						x: residentTensor(device, "x", dtype, [c.images, ...c.extent, c.channels], x),
						weight: residentTensor(device, "w", dtype, [c.columns, ...c.kernel, c.channels], w),
						bias: residentTensor(device, "b", "f32", [c.columns], bias),
						outputDtype: "f32",
						...(c.stride !== undefined && { stride: c.stride }),
						...(c.padding !== undefined && { padding: c.padding }),
						...(c.upsample !== undefined && { upsample: c.upsample }),
						...(c.dilation !== undefined && { dilation: c.dilation }),
					}),
				);
				expect(nmse(y, reference(c, x, w, bias))).toBeLessThan(1e-12);
			});
		}
	}
});

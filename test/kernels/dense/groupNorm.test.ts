import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import type { DType } from "../../../engine/gpu/tensor.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { groupNorm } from "../../../engine/kernels/dense/groupNorm.ts";
import { nmse, randomValues, runGraph, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const silu = (v: number) => v / (1 + Math.exp(-v));

/** after((x - mean) / sqrt(variance + eps) * weight + bias), statistics over positions x channels of a group of one image, in f64. */
function reference(
	x: ArrayLike<number>,
	shape: readonly [number, number, number],
	groups: number,
	eps: number,
	weight: ArrayLike<number>,
	bias: ArrayLike<number>,
	after = (v: number) => v,
): Float64Array {
	const [images, positions, channels] = shape;
	const y = new Float64Array(images * positions * channels);
	const size = channels / groups;
	for (let image = 0; image < images; image++) {
		for (let group = 0; group < groups; group++) {
			const at = (p: number, c: number) => (image * positions + p) * channels + group * size + c;
			let sum = 0;
			let squares = 0;
			for (let p = 0; p < positions; p++) for (let c = 0; c < size; c++) sum += x[at(p, c)];
			const mean = sum / (positions * size);
			for (let p = 0; p < positions; p++) for (let c = 0; c < size; c++) squares += (x[at(p, c)] - mean) ** 2;
			const factor = 1 / Math.sqrt(squares / (positions * size) + eps);
			for (let p = 0; p < positions; p++) {
				for (let c = 0; c < size; c++)
					y[at(p, c)] = after((x[at(p, c)] - mean) * factor * weight[group * size + c] + bias[group * size + c]);
			}
		}
	}
	return y;
}

/** Values whose mean differs from channel to channel and drifts over positions, far from 0 compared with their spread. */
function drifting(shape: readonly [number, number, number], dtype: DType): Float32Array {
	const [images, positions, channels] = shape;
	const values = randomValues(images * positions * channels, 1).map(
		(v, i) => v + 9 + ((i % channels) % 3) + Math.floor(i / channels / positions) + (Math.floor(i / channels) % positions) / positions,
	);
	return dtype === "f16" ? float16ToFloat32(float32ToFloat16(values)) : values;
}

async function run(
	on: Device,
	dtype: DType,
	shape: readonly [number, number, number],
	groups: number,
	x: Float32Array,
	extra: { silu?: boolean; outputDtype?: DType } = {},
) {
	const channels = shape[2];
	const weight = randomValues(channels, 2);
	const bias = randomValues(channels, 3);
	const [y] = await runGraph(on, (graph) =>
		groupNorm(graph, {
			x: residentTensor(on, "x", dtype, shape, x),
			groups,
			eps: 1e-5,
			affine: { weight: residentTensor(on, "w", "f32", [channels], weight), bias: residentTensor(on, "b", "f32", [channels], bias) },
			outputDtype: "f32",
			...extra,
		}),
	);
	return { y, expected: reference(x, shape, groups, 1e-5, weight, bias, extra.silu ? silu : undefined) };
}

describe("groupNorm", () => {
	const shapes = [
		[1, 1, 4, 2],
		[2, 7, 6, 3],
		[1, 200, 1, 1],
		[3, 129, 10, 5],
		[2, 64, 32, 32],
		[2, 192, 48, 8],
		[1, 8645, 96, 32],
		[1, 70000, 16, 8],
		[2, 100, 320, 32],
		[1, 33, 2570, 10],
		// Many small images: a workgroup a group.
		[64, 9, 40, 4],
		[32, 70, 320, 8],
		[128, 1, 64, 2],
	] as const;
	for (const dtype of ["f32", "f16"] as const) {
		for (const [images, positions, channels, groups] of shapes) {
			it(`is affine over [${images}, ${positions}, ${channels}] in ${groups} groups in ${dtype}`, async () => {
				const shape = [images, positions, channels] as const;
				const { y, expected } = await run(device, dtype, shape, groups, drifting(shape, dtype));
				expect(nmse(y, expected)).toBeLessThan(1e-11);
			});
		}
	}

	it("applies SiLU and stores f16", async () => {
		const shape = [2, 50, 24] as const;
		const { y, expected } = await run(device, "f32", shape, 4, drifting(shape, "f32"), { silu: true, outputDtype: "f16" });
		expect(nmse(y, expected)).toBeLessThan(1e-7);
	});

	it("keeps the digits of a spread far smaller than the mean", async () => {
		const shape = [1, 5000, 8] as const;
		const x = randomValues(5000 * 8, 4).map((v) => 4096 + v);
		const { y, expected } = await run(device, "f32", shape, 2, x);
		expect(nmse(y, expected)).toBeLessThan(1e-7);
	});

	it("works without parameters, over several axes of positions", async () => {
		const x = randomValues(2 * 3 * 5 * 12, 5);
		const [y] = await runGraph(device, (graph) =>
			groupNorm(graph, { x: residentTensor(device, "x", "f32", [2, 3, 5, 12], x), groups: 3, eps: 1e-6 }),
		);
		expect(nmse(y, reference(x, [2, 15, 12], 3, 1e-6, new Array(12).fill(1), new Array(12).fill(0)))).toBeLessThan(1e-12);
	});

	it("works through windows of images and of positions", async () => {
		const small = await testDevice({ maxBindingBytes: 1 << 17 });
		for (const shape of [
			[40, 150, 8],
			[2, 6016, 8],
			[64, 50, 96],
		] as const) {
			const { y, expected } = await run(small, "f32", shape, 4, drifting(shape, "f32"));
			expect(nmse(y, expected)).toBeLessThan(1e-11);
		}
	});

	it("refuses groups that do not divide the channels", () => {
		const x = residentTensor(device, "x", "f32", [1, 4, 8]);
		return expect(runGraph(device, (graph) => groupNorm(graph, { x, groups: 3, eps: 1e-5 }))).rejects.toThrow(/multiple of 3/);
	});
});

import { describe, expect, it } from "vitest";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import type { DType } from "../../../engine/gpu/tensor.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { faceBlend } from "../../../engine/kernels/dense/faceBlend.ts";
import { nmse, randomValues, runGraph, testDevice, wholeAndInWindows } from "../../support/gpu.ts";

const [frontView, domains] = [0, 2];

/** front[r, third + k] = (front[r, third + k] + face[3 r + 1, 3 k + 1]) / 2, everything else as it was, in f64. */
function reference(x: Float32Array, halves: number, views: number, side: number, channels: number, faceView: number): Float64Array {
	const y = Float64Array.from(x);
	const third = side / 3;
	const at = (half: number, view: number, domain: number, row: number, column: number) =>
		((((half * views + view) * domains + domain) * side + row) * side + column) * channels;
	for (let half = 0; half < halves; half++) {
		for (let domain = 0; domain < domains; domain++) {
			for (let r = 0; r < third; r++) {
				for (let k = 0; k < third; k++) {
					const to = at(half, frontView, domain, r, third + k);
					const from = at(half, faceView, domain, 3 * r + 1, 3 * k + 1);
					for (let c = 0; c < channels; c++) y[to + c] = 0.5 * x[to + c] + 0.5 * x[from + c];
				}
			}
		}
	}
	return y;
}

async function run(dtype: DType, halves: number, views: number, side: number, channels: number) {
	const device = await testDevice();
	const shape = [halves, views, domains, side, side, channels];
	const count = shape.reduce((a, b) => a * b, 1);
	const values = randomValues(count, side);
	const x = dtype === "f16" ? float16ToFloat32(float32ToFloat16(values)) : values;
	const [y] = await runGraph(device, (graph) =>
		faceBlend(graph, { x: residentTensor(device, "x", dtype, shape, x), views, domains, side, frontView, faceView: views - 1 }),
	);
	return nmse(y, reference(x, halves, views, side, channels, views - 1));
}

describe("faceBlend", () => {
	it.each([
		[2, 5, 12, 32],
		[1, 7, 3, 5],
		[2, 5, 24, 7],
	])("%i halves, %i views, side %i, %i channels", async (halves, views, side, channels) => {
		expect(await run("f32", halves, views, side, channels)).toBeLessThan(1e-14);
		expect(await run("f16", halves, views, side, channels)).toBeLessThan(1e-7);
	});

	it("refuses a side that is no multiple of 3", async () => {
		await expect(run("f32", 2, 5, 8, 4)).rejects.toThrow("side divisible by 3");
	});

	it("gives the same in windows", async () => {
		const [whole, windows] = await wholeAndInWindows(8192, (graph, tensor) => {
			const x = tensor("x", "f16", [2, 5, 2, 12, 12, 8], randomValues(23040, 1));
			return faceBlend(graph, { x, views: 5, domains, side: 12, frontView, faceView: 4 });
		});
		expect(windows).toEqual(whole);
	});
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float16ToFloat32, float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { residentTensor } from "../../../engine/gpu/transfer.ts";
import { permute } from "../../../engine/kernels/dense/permute.ts";
import { randomValues, runGraph, testDevice, wholeAndInWindows } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

function reference(x: ArrayLike<number>, view: readonly number[], axes: readonly number[]): number[] {
	const strides = view.map((_, axis) => view.slice(axis + 1).reduce((a, b) => a * b, 1));
	const y: number[] = [];
	const walk = (depth: number, at: number) => {
		if (depth === axes.length) y.push(x[at]);
		else for (let i = 0; i < view[axes[depth]]; i++) walk(depth + 1, at + i * strides[axes[depth]]);
	};
	walk(0, 0);
	return y;
}

describe("permute", () => {
	const cases = [
		[[1], [0]],
		[
			[5, 7],
			[1, 0],
		],
		[
			[2, 3, 8, 9],
			[0, 2, 3, 1],
		],
		[
			[2, 8, 9, 3],
			[0, 3, 1, 2],
		],
		[
			[2, 3, 4, 5, 2, 3],
			[5, 3, 1, 0, 2, 4],
		],
		[
			[2, 2, 3, 2, 3, 2, 2, 2],
			[0, 1, 5, 2, 6, 3, 7, 4],
		],
		[
			[3, 1, 4, 1, 5, 1, 1, 2, 1, 3],
			[9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
		],
	] as const;
	for (const [view, axes] of cases) {
		it(`orders the axes of [${view}] as [${axes}]`, async () => {
			const x = randomValues(
				view.reduce((a: number, b) => a * b, 1),
				1,
			);
			const [y] = await runGraph(device, (graph) => permute(graph, { x: residentTensor(device, "x", "f32", [x.length], x), view, axes }));
			expect([...y]).toEqual(reference(x, view, axes));
		});
	}

	it("converts f32 to f16 and back", async () => {
		const x = randomValues(60, 2);
		const [y] = await runGraph(device, (graph) =>
			permute(graph, {
				x: permute(graph, { x: residentTensor(device, "x", "f32", [5, 12], x), axes: [1, 0], outputDtype: "f16" }),
				axes: [1, 0],
				outputDtype: "f32",
			}),
		);
		expect([...y]).toEqual([...float16ToFloat32(float32ToFloat16(x))]);
	});

	it("works through windows, of both tensors and of the output alone", async () => {
		const small = await testDevice({ maxBindingBytes: 8192 });
		const both = randomValues(64 * 4 * 24, 3);
		const [y] = await runGraph(small, (graph) =>
			permute(graph, { x: residentTensor(small, "x", "f32", [64, 4, 24], both), axes: [0, 2, 1] }),
		);
		expect([...y]).toEqual(reference(both, [64, 4, 24], [0, 2, 1]));
		const one = randomValues(32 * 128, 4);
		const [z] = await runGraph(small, (graph) =>
			permute(graph, { x: residentTensor(small, "x", "f16", [32, 128], one), axes: [1, 0], outputDtype: "f32" }),
		);
		expect([...z]).toEqual(reference(float16ToFloat32(float32ToFloat16(one)), [32, 128], [1, 0]));
	});

	it("refuses what is no permutation", () => {
		const x = residentTensor(device, "x", "f32", [4, 8]);
		return expect(runGraph(device, (graph) => permute(graph, { x, axes: [0, 0] }))).rejects.toThrow(/no order/);
	});

	it("gives the same in windows of one image", async () => {
		const [whole, windows] = await wholeAndInWindows(2048, (graph, tensor) =>
			permute(graph, {
				x: tensor("x", "f32", [1, 8, 8, 16, 4], randomValues(4096, 1)),
				view: [1, 8, 8, 4, 4, 4],
				axes: [0, 1, 3, 2, 5, 4],
			}),
		);
		expect(windows).toEqual(whole);
	});
});

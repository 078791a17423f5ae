import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { readUnsigned, residentTensor } from "../../../engine/gpu/transfer.ts";
import { compileGraph } from "../../../engine/graph/executable.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { type SyntheticFillRequest, syntheticFill } from "../../../engine/kernels/dense/syntheticFill.ts";
import { type Distribution, syntheticFloat16, syntheticKey } from "../../../engine/random/synthetic.ts";
import { arrangedShape, arrangeElements, castWeight } from "../../../weights/arrangeWeight.ts";
import type { WeightLayout } from "../../../weights/source.ts";
import { testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

/** The words of a filled tensor, and those of the CPU's generator and loader; the tensor's memory is garbage before. */
async function both(on: Device, name: string, shape: readonly number[], distribution: Distribution, layout: WeightLayout) {
	const arranged = arrangedShape(shape, layout);
	const count = arranged.reduce((a, b) => a * b, 1);
	const words = Math.ceil((count * (layout.dtype === "f16" ? 2 : 4)) / 4);
	const memory = residentTensor(on, "memory", "u32", [words], new Uint32Array(words).fill(0xdeadbeef));
	const graph = new Graph(on, "test");
	const { view, permute, padLastTo } = layout;
	const target = { ...memory, dtype: layout.dtype, shape: arranged };
	const request: SyntheticFillRequest = {
		target,
		key: syntheticKey(name, 7),
		...distribution,
		storedShape: shape,
		view,
		permute,
		padLastTo,
	};
	syntheticFill(graph, request);
	const executable = await compileGraph(graph);
	await executable.run();
	const actual = await readUnsigned(on, memory);
	executable.destroy();
	const stored = { dtype: "F16" as const, shape, bytes: new Uint8Array(syntheticFloat16(name, shape, 7, distribution).buffer) };
	const elements = arrangeElements(castWeight(stored, layout.dtype, "test", name), shape, layout);
	const bytes = new Uint8Array(words * 4);
	bytes.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
	return { actual, expected: new Uint32Array(bytes.buffer) };
}

const firstDifference = ({ actual, expected }: { actual: Uint32Array; expected: Uint32Array }) =>
	actual.findIndex((word, i) => word !== expected[i]);

describe("syntheticFill", () => {
	const distributions: readonly Distribution[] = [
		{ offset: 0, scale: 1 },
		{ offset: 0, scale: Math.sqrt(3) / Math.sqrt(2880) },
		{ offset: 1, scale: 0.3 },
		{ offset: 0.6, scale: 0.3 },
		{ offset: 0, scale: 0.2 },
		{ offset: -0.1, scale: 0.1000001 },
		{ offset: 0, scale: 3e-5 },
		{ offset: 1e-7, scale: 1e-7 },
		{ offset: 300, scale: 65000 },
	];
	for (const dtype of ["f16", "f32"] as const) {
		for (const distribution of distributions) {
			it(`has the generator's bits for ${distribution.offset} +- ${distribution.scale} in ${dtype}`, async () => {
				expect(firstDifference(await both(device, "blocks.3.weight", [300001], distribution, { dtype }))).toBe(-1);
			});
		}
	}

	const layouts: readonly (readonly [shape: readonly number[], layout: Omit<WeightLayout, "dtype">])[] = [
		[[7], {}],
		[[6, 5, 3, 3], { permute: [0, 2, 3, 1] }],
		[[4, 8, 3, 3, 3], { permute: [0, 2, 3, 4, 1] }],
		[[16, 9], { view: [2, 8, 9], permute: [1, 0, 2] }],
		[[5, 3, 3, 3], { permute: [0, 2, 3, 1], padLastTo: 8 }],
		[[3, 5], { padLastTo: 7 }],
		[[2, 3, 4, 5, 2, 3], { permute: [5, 3, 1, 0, 2, 4] }],
	];
	for (const dtype of ["f16", "f32"] as const) {
		for (const [shape, layout] of layouts) {
			it(`lies as the loader lays it: [${shape}] ${JSON.stringify(layout)} in ${dtype}`, async () => {
				expect(firstDifference(await both(device, "conv.weight", shape, { offset: 0, scale: 0.4 }, { ...layout, dtype }))).toBe(-1);
			});
		}
	}

	it("works through windows", async () => {
		const small = await testDevice({ maxBindingBytes: 4096 });
		expect(firstDifference(await both(small, "w", [30, 20, 3, 3], { offset: 0, scale: 1 }, { dtype: "f16", permute: [0, 2, 3, 1] }))).toBe(
			-1,
		);
	});

	it("refuses a layout of another size", () => {
		const target = residentTensor(device, "t", "f32", [4, 5]);
		const request = { target, key: 1, offset: 0, scale: 1, storedShape: [4, 4] };
		expect(() => syntheticFill(new Graph(device, "test"), request)).toThrow(/is not f32\[4,5\]/);
	});
});

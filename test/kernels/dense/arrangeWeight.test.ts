import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../engine/gpu/device.ts";
import { float32ToFloat16 } from "../../../engine/gpu/float16.ts";
import { readUnsigned, residentTensor } from "../../../engine/gpu/transfer.ts";
import { compileGraph } from "../../../engine/graph/executable.ts";
import { Graph } from "../../../engine/graph/graph.ts";
import { arrangeWeight, type RawDType } from "../../../engine/kernels/dense/arrangeWeight.ts";
import { arrangedShape, arrangeElements, castWeight } from "../../../weights/arrangeWeight.ts";
import type { StoredTensor, WeightLayout } from "../../../weights/source.ts";
import { randomValues, testDevice } from "../../support/gpu.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

function storedAs(dtype: RawDType, shape: readonly number[], values: Float32Array): StoredTensor {
	const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
	const elements = dtype === "F32" ? values : dtype === "F16" ? float32ToFloat16(values) : Uint16Array.from(words, (word) => word >>> 16);
	return { dtype, shape, bytes: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength) };
}

/** Runs the kernel on a tensor that lies `offset` bytes into the raw words; the target's memory is garbage before. */
async function onDevice(on: Device, stored: StoredTensor, layout: WeightLayout, offset: number) {
	const bytes = new Uint8Array(Math.ceil((offset + stored.bytes.length) / 4) * 4).fill(0xff);
	bytes.set(stored.bytes, offset);
	const raw = residentTensor(on, "raw", "u32", [bytes.length / 4], new Uint32Array(bytes.buffer));
	const shape = arrangedShape(stored.shape, layout);
	const count = shape.reduce((a, b) => a * b, 1);
	const words = Math.ceil((count * (layout.dtype === "f16" ? 2 : 4)) / 4);
	const memory = residentTensor(on, "memory", "u32", [words], new Uint32Array(words).fill(0xdeadbeef));
	const flags = residentTensor(on, "flags", "u32", [1]);
	const graph = new Graph(on, "test");
	arrangeWeight(graph, {
		...{ raw, rawDtype: stored.dtype as RawDType, byteOffset: offset, flags, storedShape: stored.shape, ...layout },
		target: { ...memory, dtype: layout.dtype, shape },
	});
	const executable = await compileGraph(graph);
	await executable.run();
	const result = { words: await readUnsigned(on, memory), flag: (await readUnsigned(on, flags))[0] };
	executable.destroy();
	return result;
}

function onHost(stored: StoredTensor, layout: WeightLayout): Uint32Array {
	const elements = arrangeElements(castWeight(stored, layout.dtype, "test", "w"), stored.shape, layout);
	const bytes = new Uint8Array(Math.ceil(elements.byteLength / 4) * 4);
	bytes.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
	return new Uint32Array(bytes.buffer);
}

/** Every exponent that a float16 has and some below, random fractions, and what lies between two float16. */
function manyValues(count: number): Float32Array {
	const words = Uint32Array.from(randomValues(count, 3, 2 ** 31), (value) => value >>> 0);
	for (let i = 0; i < count; i++) words[i] = (words[i] & 0x807fffff) | ((90 + (i % 52)) << 23);
	for (let i = 0; i < 200; i++) words[i] = (words[i] & 0xffffe000) | 0x1000;
	return new Float32Array(words.buffer);
}

describe("arrangeWeight", () => {
	for (const rawDtype of ["F32", "F16", "BF16"] as const) {
		for (const dtype of ["f16", "f32"] as const) {
			it(`gives the loader's bits from ${rawDtype} to ${dtype}, wherever the tensor begins`, async () => {
				const stored = storedAs(rawDtype, [50001], manyValues(50001));
				for (const offset of rawDtype === "F32" ? [0, 12] : [0, 6]) {
					const { words, flag } = await onDevice(device, stored, { dtype }, offset);
					const expected = onHost(stored, { dtype });
					expect(words.findIndex((word, i) => word !== expected[i])).toBe(-1);
					expect(flag).toBe(0);
				}
			});
		}
	}

	const layouts: readonly (readonly [shape: readonly number[], layout: Omit<WeightLayout, "dtype">])[] = [
		[[7], {}],
		[[4, 8, 3, 3, 3], { permute: [0, 2, 3, 4, 1] }],
		[[16, 9], { view: [2, 8, 9], permute: [1, 0, 2] }],
		[[5, 3, 3, 3], { permute: [0, 2, 3, 1], padLastTo: 8 }],
		[[3, 5], { padLastTo: 7 }],
		[[2, 3, 4, 5, 2, 3], { permute: [5, 3, 1, 0, 2, 4] }],
	];
	for (const [shape, layout] of layouts) {
		it(`lies as the loader lays it: [${shape}] ${JSON.stringify(layout)}`, async () => {
			const count = shape.reduce((a, b) => a * b, 1);
			for (const dtype of ["f16", "f32"] as const) {
				const stored = storedAs("F32", shape, randomValues(count, 5));
				expect((await onDevice(device, stored, { ...layout, dtype }, 4)).words).toEqual(onHost(stored, { ...layout, dtype }));
			}
		});
	}

	it("works through windows", async () => {
		const small = await testDevice({ maxBindingBytes: 65536 });
		const stored = storedAs("F16", [90, 40, 3, 3], randomValues(32400, 9));
		const layout = { dtype: "f32", permute: [0, 2, 3, 1] } as const;
		expect((await onDevice(small, stored, layout, 0)).words).toEqual(onHost(stored, layout));
	});

	it("flags what is not finite, and what has no float16", async () => {
		for (const [rawDtype, dtype, value, expected] of [
			["F32", "f16", 65504, 0],
			["F32", "f16", 65505, 1],
			["F32", "f32", 1e38, 0],
			["F32", "f32", Number.POSITIVE_INFINITY, 1],
			["F32", "f16", Number.NaN, 1],
			["F16", "f16", Number.NEGATIVE_INFINITY, 1],
			["F16", "f32", Number.NaN, 1],
			["BF16", "f16", 70000, 1],
			["BF16", "f32", 70000, 0],
		] as const) {
			const { flag } = await onDevice(device, storedAs(rawDtype, [3], Float32Array.of(1, value, 2)), { dtype }, 0);
			expect([rawDtype, dtype, value, flag]).toEqual([rawDtype, dtype, value, expected]);
		}
	});

	it("refuses a layout of another size", () => {
		const words = residentTensor(device, "t", "f32", [4, 5]);
		const raw = residentTensor(device, "raw", "u32", [20]);
		const request = { raw, flags: raw, rawDtype: "F32", byteOffset: 0, target: words, storedShape: [4, 4] } as const;
		expect(() => arrangeWeight(new Graph(device, "test"), request)).toThrow(/is not f32\[4,5\]/);
		expect(() => arrangeWeight(new Graph(device, "test"), { ...request, byteOffset: 2, storedShape: [4, 5] })).toThrow(/byte 2/);
	});
});

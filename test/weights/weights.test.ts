import { afterAll, describe, expect, test } from "vitest";
import { float16ToFloat32 } from "../../engine/gpu/float16.ts";
import type { Tensor } from "../../engine/gpu/tensor.ts";
import { readTensor } from "../../engine/gpu/transfer.ts";
import { memoryByteSource } from "../../weights/byteSource.ts";
import type { WeightDevice } from "../../weights/loadWeights.ts";
import { openSafetensors } from "../../weights/safetensors.ts";
import type { TensorSource, WeightLayout } from "../../weights/source.ts";
import { Weights } from "../../weights/weights.ts";
import { testDevice } from "../support/gpu.ts";
import { expectDamaged, failureOf } from "../support/hostile.ts";
import { safetensorsBytes } from "../support/safetensorsBytes.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

const f32: WeightLayout = { dtype: "f32" };
const f16: WeightLayout = { dtype: "f16" };
const counting = (count: number, start = 0) => Float32Array.from({ length: count }, (_, i) => start + i);

/** A file of these tensors, F32, filled with 0, 1, 2, ... */
async function fileOf(shapes: Readonly<Record<string, readonly number[]>>): Promise<TensorSource> {
	const tensors = Object.entries(shapes).map(
		([name, shape]) => [name, storedFromFloat32(counting(shape.reduce((product, extent) => product * extent, 1)), shape)] as const,
	);
	return openSafetensors(memoryByteSource("made.file", safetensorsBytes(new Map(tensors))));
}

/** A device whose buffers are arrays, and which counts. */
function fakeDevice() {
	const contents = new Map<unknown, Uint8Array>();
	const log = { submits: 0, waits: 0, largestWrite: 0, pendingBytes: 0, mostPendingBytes: 0 };
	const device: WeightDevice = {
		gpu: {
			queue: {
				writeBuffer(buffer: GPUBuffer, offset: number, data: Uint8Array) {
					if (offset % 4 !== 0 || data.byteLength % 4 !== 0) throw new Error("writeBuffer: not whole words");
					contents.get(buffer)?.set(data, offset);
					log.largestWrite = Math.max(log.largestWrite, data.byteLength);
					log.pendingBytes += data.byteLength;
					log.mostPendingBytes = Math.max(log.mostPendingBytes, log.pendingBytes);
				},
				submit() {
					log.submits++;
					log.pendingBytes = 0;
				},
			} as unknown as GPUQueue,
		},
		createBuffer(label, byteLength) {
			const buffer = { label } as GPUBuffer;
			contents.set(buffer, new Uint8Array(byteLength));
			return buffer;
		},
		destroyBuffer: (buffer) => void contents.delete(buffer),
		guarded: async (_, work) => work(),
		idle: async () => void log.waits++,
	};
	const bytesOf = (tensor: Tensor) => contents.get(tensor.storage.buffer) ?? new Uint8Array(0);
	const valuesOf = (tensor: Tensor) => {
		const bytes = bytesOf(tensor);
		const count = tensor.shape.reduce((product, extent) => product * extent, 1);
		return [
			...(tensor.dtype === "f16" ? float16ToFloat32(new Uint16Array(bytes.buffer, 0, count)) : new Float32Array(bytes.buffer, 0, count)),
		];
	};
	return { device, contents, log, valuesOf };
}

/** A source that makes any tensor, all elements the length of its name; on the device too where `fills` says so. */
function syntheticSource(fills: (name: string, target: Tensor) => boolean): TensorSource & { read: TensorSource["read"]; asked: string[] } {
	const asked: string[] = [];
	return {
		name: "synthetic:made",
		entries: undefined,
		asked,
		async read(name, shape) {
			asked.push(`read ${name}`);
			return storedFromFloat32(new Float32Array(shape.reduce((product, extent) => product * extent, 1)).fill(name.length), shape);
		},
		async fillOnDevice(name, _shape, _layout, target) {
			if (target.storage.buffer === undefined) throw new Error("no buffer");
			const filled = fills(name, target);
			if (filled) asked.push(`fill ${name} at ${target.byteOffset}`);
			return filled;
		},
	};
}

describe("declaring", () => {
	test("paths join with dots, tensors have their shape on the GPU and no buffer", async () => {
		const weights = Weights.open(await fileOf({ "blocks.0.norm1.weight": [3, 2], bias: [5] }));
		const norm = weights.at("blocks").at(0).at("norm1");
		expect(norm.path).toBe("blocks.0.norm1");
		const weight = norm.tensor("weight", [3, 2], { permute: [1, 0], padLastTo: 4, dtype: "f16" });
		expect([weight.shape, weight.dtype, weight.storage.kind, weight.storage.label]).toEqual([
			[2, 4],
			"f16",
			"resident",
			"blocks.0.norm1.weight",
		]);
		expect(weight.storage.buffer).toBe(undefined);
		weights.tensor("bias", [5], f16);
		// 16 bytes, and 10 rounded up to words.
		expect(weights.byteLength).toBe(16 + 12);
		expect(weights.declared.map(({ name, storedShape }) => [name, storedShape])).toEqual([
			["blocks.0.norm1.weight", [3, 2]],
			["bias", [5]],
		]);
		expect(() => weights.tensor("bias", [6], f16)).toThrow(RangeError);
		weights.finish();
		expect(() => weights.tensor("bias", [5], f16)).toThrow(/after finish/);
	});

	test("has knows tensors and everything above them", async () => {
		const weights = Weights.open(await fileOf({ "a.conv.weight": [1] })).at("a");
		expect(["conv", "conv.weight", "con", "weight"].map((leaf) => weights.has(leaf, false))).toEqual([true, true, false, false]);
		const synthetic = Weights.open(syntheticSource(() => false));
		expect([synthetic.has("x", true), synthetic.has("x", false)]).toEqual([true, false]);
	});

	test("stacks of tensors of different widths are the model's error", () => {
		const weights = Weights.open(syntheticSource(() => false));
		expect(() =>
			weights.stacked(
				["a", "b"],
				[
					[2, 3],
					[2, 4],
				],
				f32,
			),
		).toThrow(/cannot be stacked/);
	});
});

describe("finish", () => {
	test("everything used, or ignored, or another reader's", async () => {
		const source = await fileOf({ "a.w": [2], "a.num_batches_tracked": [1], "a.position_ids": [1], "b.w": [1] });
		const weights = Weights.open(source, { within: ["a"] });
		weights.ignore(/num_batches_tracked$/);
		weights.at("a").ignore("position_ids");
		weights.at("a").tensor("w", [2], f32);
		weights.finish();
	});

	test("an ignored pattern counts below its place only", async () => {
		const weights = Weights.open(await fileOf({ "a.x": [1], "b.x": [1] }));
		weights.at("a").ignore(/^x$/);
		await expectDamaged(() => weights.finish(), /1 not known to the model \(b.x\)/);
	});

	test("lists up to five of each, and shapes", async () => {
		const weights = Weights.open(await fileOf(Object.fromEntries(["s", "t", ..."1234567"].map((name) => [name, [2, 3]]))));
		for (const name of "abcdef") weights.at("m").tensor(name, [1], f32);
		weights.tensor("s", [3, 2], f32);
		weights.tensor("t", [2, 3], f32);
		const error = (await failureOf(() => weights.finish())) as Error;
		expect(error.message).toBe(
			"made.file: does not fit its config: 6 missing (m.a, m.b, m.c, m.d, m.e, and 1 more); " +
				"7 not known to the model (1, 2, 3, 4, 5, and 2 more); 1 of another shape (s must be [3, 2], got [2, 3])",
		);
		await expectDamaged(() => weights.finish(), /does not fit/);
	});

	test("a computed buffer must be in a file", async () => {
		const weights = Weights.open(await fileOf({ w: [1] }));
		weights.tensor("w", [1], f32);
		weights.buffer("pos_emb", [2], f32, () => counting(2));
		await expectDamaged(() => weights.finish(), /1 missing \(pos_emb\)/);
	});
});

describe("load", () => {
	test("casts, rearranges, stacks and pads", async () => {
		const { device, valuesOf, log, contents } = fakeDevice();
		const weights = Weights.open(await fileOf({ w: [2, 3], odd: [3], q: [1, 2], k: [2, 2], v: [1, 2], pos_emb: [2] }));
		const w = weights.tensor("w", [2, 3], { permute: [1, 0], padLastTo: 4, dtype: "f16" });
		const again = weights.tensor("w", [2, 3], f32);
		const odd = weights.tensor("odd", [3], f16);
		const shapes = [1, 2, 1].map((rows) => [rows, 2]);
		const qkv = weights.stacked(["q", "k", "v"], shapes, f32);
		const transposed = weights.stacked(["q", "v"], [1, 2], { view: [2, 2], permute: [1, 0], dtype: "f16" });
		const buffer = weights.buffer("pos_emb", [2], f32, () => counting(2, 100));
		const progress: number[] = [];
		await weights.load(device, { onProgress: (loaded, total) => progress.push(loaded / total) });
		expect(valuesOf(w)).toEqual([0, 3, 0, 0, 1, 4, 0, 0, 2, 5, 0, 0]);
		expect(valuesOf(again)).toEqual([0, 1, 2, 3, 4, 5]);
		expect(valuesOf(odd)).toEqual([0, 1, 2]);
		expect(valuesOf(qkv)).toEqual([0, 1, 0, 1, 2, 3, 0, 1]);
		expect([qkv.shape, qkv.storage.label]).toEqual([[4, 2], "q and 2 more"]);
		expect(valuesOf(transposed)).toEqual([0, 0, 1, 1]);
		expect(valuesOf(buffer)).toEqual([0, 1]);
		expect(progress.at(-1)).toBe(1);
		expect(progress).toEqual([...progress].sort());
		expect([log.submits, log.waits, contents.size]).toEqual([1, 1, 6]);
		await expect(weights.load(device)).rejects.toThrow(/loaded already/);
		weights.release();
		expect([contents.size, w.storage.buffer]).toEqual([0, undefined]);
		await weights.load(device);
		expect(valuesOf(odd)).toEqual([0, 1, 2]);
	});

	test("large tensors go up in pieces of 64 MiB, and no more is staged between submits", async () => {
		const { device, log } = fakeDevice();
		const weights = Weights.open(await fileOf({ large: [40 * 2 ** 20], b: [2 ** 22], c: [2 ** 22] }));
		weights.tensor("large", [40 * 2 ** 20], f32);
		weights.tensor("b", [2 ** 22], f32);
		weights.tensor("c", [2 ** 22], f32);
		await weights.load(device);
		expect([log.largestWrite, log.mostPendingBytes]).toEqual([64 * 2 ** 20, 64 * 2 ** 20]);
		expect(log.submits).toBe(3);
	});

	test("a synthetic source fills on the device where it can, stacks row by row where they are aligned", async () => {
		const { device, valuesOf } = fakeDevice();
		const source = syntheticSource((name) => name.startsWith("big"));
		const weights = Weights.open(source);
		weights.tensor("big", [4], f32);
		const small = weights.tensor("small", [4], f32);
		weights.stacked(["big.q", "big.k"], [2, 64], f32);
		weights.stacked(["big.u", "big.v"], [2, 2], f32);
		const pos = weights.buffer("pos", [3], f32, () => counting(3));
		await weights.load(device);
		expect(source.asked).toEqual([
			"fill big at 0",
			"read small",
			"fill big.q at 0",
			"fill big.k at 512",
			"fill big.u at 0",
			"read big.u",
			"read big.v",
		]);
		expect([valuesOf(small), valuesOf(pos)]).toEqual([
			[5, 5, 5, 5],
			[0, 1, 2],
		]);
	});

	test("an error, and an abort, free what was allocated", async () => {
		const { device, contents } = fakeDevice();
		const bad = storedFromFloat32(Float32Array.of(1, Number.NaN), [2]);
		const file = safetensorsBytes(new Map([["w", bad]]));
		const weights = Weights.open(await openSafetensors(memoryByteSource("made.file", file)));
		const tensor = weights.tensor("w", [2], f32);
		await expectDamaged(() => weights.load(device), /tensor "w": holds NaN at index 1/);
		expect([contents.size, tensor.storage.buffer]).toEqual([0, undefined]);

		const controller = new AbortController();
		const stopped = Weights.open(await fileOf({ a: [1], b: [1] }));
		stopped.tensor("a", [1], f32);
		stopped.tensor("b", [1], f32);
		const loading = stopped.load(device, { signal: controller.signal, onProgress: () => controller.abort() });
		await expect(loading).rejects.toMatchObject({ code: "aborted" });
		expect(contents.size).toBe(0);
	});

	test("load compares with the file first", async () => {
		const { device, contents } = fakeDevice();
		const weights = Weights.open(await fileOf({ a: [1], b: [1] }));
		weights.tensor("a", [1], f32);
		await expectDamaged(() => weights.load(device), /1 not known to the model \(b\)/);
		expect(contents.size).toBe(0);
	});
});

describe("on a device", () => {
	const loaded: Weights[] = [];
	afterAll(() => {
		for (const weights of loaded) weights.release();
	});

	test("what is loaded can be read back, and memory is counted", async () => {
		const device = await testDevice();
		const before = device.memory.currentBytes;
		const weights = Weights.open(await fileOf({ w: [3, 5], v: [3] }));
		const w = weights.tensor("w", [3, 5], { permute: [1, 0], dtype: "f16" });
		const v = weights.tensor("v", [3], f32);
		await weights.load(device);
		loaded.push(weights);
		expect([...(await readTensor(device, w))]).toEqual([0, 5, 10, 1, 6, 11, 2, 7, 12, 3, 8, 13, 4, 9, 14]);
		expect([...(await readTensor(device, v))]).toEqual([0, 1, 2]);
		expect(device.memory.currentBytes - before).toBe(weights.byteLength);
		weights.release();
		expect(device.memory.currentBytes).toBe(before);
	});
});

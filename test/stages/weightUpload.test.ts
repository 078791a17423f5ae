import { beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../engine/gpu/device.ts";
import type { Tensor } from "../../engine/gpu/tensor.ts";
import { readTensor } from "../../engine/gpu/transfer.ts";
import { uploadBytes, uploadOnDevice } from "../../engine/stages/weightUpload.ts";
import { memoryByteSource } from "../../weights/byteSource.ts";
import { openSafetensors } from "../../weights/safetensors.ts";
import type { ByteSource, StoredTensor } from "../../weights/source.ts";
import { openTorchCheckpoint } from "../../weights/torchZip.ts";
import { Weights } from "../../weights/weights.ts";
import { randomValues, testDevice } from "../support/gpu.ts";
import { expectDamaged, failureOf } from "../support/hostile.ts";
import { safetensorsBytes } from "../support/safetensorsBytes.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

let device: Device;
beforeAll(async () => {
	device = await testDevice();
});

const random = (shape: readonly number[], dtype: "F32" | "F16", seed = 1) =>
	storedFromFloat32(
		randomValues(
			shape.reduce((a, b) => a * b, 1),
			seed,
		),
		shape,
		dtype,
	);

/** More than a slot in one tensor, stacks of odd rows, types that only the CPU reads, and small ones. */
const stored: Readonly<Record<string, StoredTensor>> = {
	large: random([1030, 4096], "F32"),
	conv: random([6, 5, 3, 3], "F16", 2),
	q: random([3, 7], "F16", 3),
	k: random([2, 7], "F16", 4),
	other: random([2, 7], "F32", 5),
	index: { dtype: "I64", shape: [2], bytes: new Uint8Array(BigInt64Array.of(3n, 4n).buffer) },
	bias: random([7], "F16", 6),
};

function declareAll(weights: Weights): Tensor[] {
	return [
		weights.tensor("large", [1030, 4096], { dtype: "f16", permute: [1, 0] }),
		weights.tensor("conv", [6, 5, 3, 3], { dtype: "f16", permute: [0, 2, 3, 1], padLastTo: 8 }),
		weights.stacked(
			["q", "k"],
			[
				[3, 7],
				[2, 7],
			],
			{ dtype: "f32" },
		),
		weights.stacked(
			["k", "other"],
			[
				[2, 7],
				[2, 7],
			],
			{ dtype: "f16", view: [2, 14], permute: [1, 0] },
		),
		weights.tensor("index", [2], { dtype: "u32" }),
		weights.tensor("bias", [7], { dtype: "f32" }),
	];
}

async function openStored(tensors = stored, read?: ByteSource["read"]): Promise<Weights> {
	const source = memoryByteSource("made.file", safetensorsBytes(new Map(Object.entries(tensors))));
	return Weights.open(await openSafetensors(read ? { ...source, read } : source));
}

describe("uploadOnDevice", () => {
	it("gives what the CPU gives, within the memory it says it needs, and holds nothing afterwards", async () => {
		const values: Float32Array[][] = [];
		for (const upload of [undefined, uploadOnDevice(device)]) {
			const weights = await openStored();
			const tensors = declareAll(weights);
			const before = device.memory.currentBytes;
			device.memory.peakBytes = before;
			const progress: number[] = [];
			await weights.load(device, { ...(upload && { upload }), onProgress: (done, total) => progress.push(done / total) });
			expect(progress.at(-1)).toBe(1);
			expect(device.memory.currentBytes - before).toBe(weights.byteLength);
			const beside = device.memory.peakBytes - before - weights.byteLength;
			expect(beside).toBeLessThanOrEqual(uploadBytes(weights));
			expect(beside > 0).toBe(upload !== undefined);
			values.push(await Promise.all(tensors.map((tensor) => readTensor(device, tensor))));
			weights.release();
		}
		values[0].forEach((expected, i) => {
			expect(values[1][i].findIndex((value, at) => !Object.is(value, expected[at]))).toBe(-1);
		});
	});

	it("names the value that is not finite, or too large", async () => {
		for (const [value, problem] of [
			[Number.NaN, /tensor "w": holds NaN at index 1/],
			[70000, /tensor "w": holds 70000 at index 1, beyond the range of f16/],
		] as const) {
			const weights = await openStored({ w: storedFromFloat32(Float32Array.of(1, value), [2]) });
			weights.tensor("w", [2], { dtype: "f16" });
			const before = device.memory.currentBytes;
			await expectDamaged(() => weights.load(device, { upload: uploadOnDevice(device) }), problem);
			expect(device.memory.currentBytes).toBe(before);
		}
	});

	it("stops where the file can no longer be read, and where it is asked to", async () => {
		const source = memoryByteSource("made.file", safetensorsBytes(new Map(Object.entries(stored))));
		let broken = false;
		const weights = await openStored(stored, async (offset, length) => {
			if (broken) throw new Error("EIO");
			return source.read(offset, length);
		});
		declareAll(weights);
		weights.finish();
		const before = device.memory.currentBytes;
		broken = true;
		await expectDamaged(() => weights.load(device, { upload: uploadOnDevice(device) }), /reading tensor .* failed: EIO/);
		broken = false;
		const controller = new AbortController();
		const stopped = failureOf(() => weights.load(device, { upload: uploadOnDevice(device), signal: controller.signal }));
		controller.abort();
		expect(await stopped).toMatchObject({ code: "aborted" });
		expect(device.memory.currentBytes).toBe(before);
	});

	it("reads what torch has saved", async () => {
		const { readFileSync } = await import("node:fs");
		const file = new Uint8Array(readFileSync(new URL("../fixtures/torch/module.pth", import.meta.url)));
		const source = await openTorchCheckpoint(memoryByteSource("module.pth", file));
		const values: Float32Array[][] = [];
		for (const upload of [undefined, uploadOnDevice(device)]) {
			const weights = Weights.open(source);
			const floats = [...(source.entries ?? [])].filter(([, { dtype, shape }]) => dtype.includes("F") && !shape.includes(0));
			const tensors = floats.map(([name, { shape }]) => weights.tensor(name, shape, { dtype: "f32" }));
			weights.ignore(/./);
			await weights.load(device, upload && { upload });
			values.push(await Promise.all(tensors.map((tensor) => readTensor(device, tensor))));
			weights.release();
		}
		expect(values[1].length).toBeGreaterThan(0);
		expect(values[1]).toEqual(values[0]);
	});
});

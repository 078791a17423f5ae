import { describe, expect, it } from "vitest";
import { readPieceBytes, readTogether, release, residentTensor } from "../../engine/gpu/transfer.ts";
import { testDevice } from "../support/gpu.ts";

describe("readTogether", async () => {
	const device = await testDevice();

	it("gives every tensor's own bits, in the order that was asked for", async () => {
		const before = device.memory.currentBytes;
		const numbers = residentTensor(device, "numbers", "u32", [3], Uint32Array.of(1, 2, 4_000_000_000));
		const values = residentTensor(device, "values", "f32", [2], Float32Array.of(-1.5, 3));
		const one = { ...numbers, shape: [1], byteOffset: 8 };
		const [last, floats, all] = await readTogether(device, [one, values, numbers]);
		expect([...last]).toEqual([4_000_000_000]);
		expect([...new Float32Array(floats.buffer, floats.byteOffset, 2)]).toEqual([-1.5, 3]);
		expect([...all]).toEqual([1, 2, 4_000_000_000]);
		for (const { storage } of [numbers, values]) release(device, storage);
		expect(device.memory.currentBytes).toBe(before);
	});

	it("reads what is more than a piece one by one", async () => {
		const count = readPieceBytes / 4;
		const large = residentTensor(device, "large", "u32", [count], new Uint32Array(count).fill(7));
		const small = residentTensor(device, "small", "u32", [1], Uint32Array.of(9));
		const [first, second] = await readTogether(device, [large, small]);
		expect([first.length, first[count - 1], second[0]]).toEqual([count, 7, 9]);
		for (const { storage } of [large, small]) release(device, storage);
	});

	it("gives readbacks that run side by side, and larger ones after smaller ones, their own values", async () => {
		const before = device.memory.currentBytes;
		const tensors = [5, 100_000, 3].map((count, i) =>
			residentTensor(
				device,
				`x${i}`,
				"u32",
				[count],
				Uint32Array.from({ length: count }, (_, at) => at * 7 + i),
			),
		);
		for (let round = 0; round < 2; round++) {
			const read = await Promise.all(tensors.map((tensor) => readTogether(device, [tensor])));
			read.forEach(([values], i) => {
				expect(values.every((value, at) => value === at * 7 + i)).toBe(true);
			});
		}
		for (const { storage } of tensors) release(device, storage);
		expect(device.memory.currentBytes).toBe(before);
	});
});

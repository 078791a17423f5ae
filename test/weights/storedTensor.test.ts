import { describe, expect, test } from "vitest";
import type { StoredDType } from "../../weights/source.ts";
import { checkedElementCount, storedElements, toFloat32, toInt32 } from "../../weights/storedTensor.ts";
import { expectDamaged } from "../support/hostile.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

const stored = (dtype: StoredDType, elements: { buffer: ArrayBufferLike; length: number }) => ({
	dtype,
	shape: [elements.length],
	bytes: new Uint8Array(elements.buffer),
});

describe("stored tensors", () => {
	test.each<[StoredDType, { buffer: ArrayBufferLike; length: number }, readonly number[]]>([
		["F64", Float64Array.of(1.5, -2), [1.5, -2]],
		["F32", Float32Array.of(1.5, -2), [1.5, -2]],
		["F16", Uint16Array.of(0x3e00, 0xc000), [1.5, -2]],
		["BF16", Uint16Array.of(0x3fc0, 0xc000), [1.5, -2]],
		["I64", BigInt64Array.of(3n, -2n), [3, -2]],
		["I32", Int32Array.of(3, -2), [3, -2]],
		["I16", Int16Array.of(3, -2), [3, -2]],
		["I8", Int8Array.of(3, -2), [3, -2]],
		["U8", Uint8Array.of(3, 255), [3, 255]],
		["BOOL", Uint8Array.of(0, 1), [0, 1]],
	])("%s as float32, aligned or not, and as integers", async (dtype, elements, values) => {
		const tensor = stored(dtype, elements);
		expect([...toFloat32(tensor)]).toEqual(values);
		const shifted = new Uint8Array(tensor.bytes.length + 1);
		shifted.set(tensor.bytes, 1);
		expect([...toFloat32({ ...tensor, bytes: shifted.subarray(1) })]).toEqual(values);
		if (/^B?F/.test(dtype)) await expectDamaged(() => toInt32(tensor, "made.file"), /where whole numbers are expected/);
		else expect([...toInt32(tensor, "made.file")]).toEqual(values);
	});

	test("integers beyond 32 bits are refused", async () => {
		await expectDamaged(() => toInt32(stored("I64", BigInt64Array.of(0n, -(2n ** 31n) - 1n)), "made.file"), /-2147483649 at index 1/);
	});

	test("from float32, and views without a copy", () => {
		expect([...storedElements(storedFromFloat32(Float32Array.of(1, 2), [2], "F16"))]).toEqual([0x3c00, 0x4000]);
		const values = Float32Array.of(1, 2);
		expect(storedElements(storedFromFloat32(values, [2])).buffer).toBe(values.buffer);
	});

	test("shapes of files are not believed", async () => {
		expect([checkedElementCount([], "made.file", "x"), checkedElementCount([2, 0, 2 ** 50], "made.file", "x")]).toEqual([1, 0]);
		for (const shape of [[-1], [1.5], [Number.NaN], ["2"], [2 ** 53], [2 ** 30, 2 ** 30]]) {
			await expectDamaged(() => checkedElementCount(shape, "made.file", "x"), /x has the shape/);
		}
	});
});

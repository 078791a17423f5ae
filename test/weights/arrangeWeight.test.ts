import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { float16ToFloat32, float32ToFloat16 } from "../../engine/gpu/float16.ts";
import type { DType } from "../../engine/gpu/tensor.ts";
import { arrangedShape, arrangeElements, castWeight } from "../../weights/arrangeWeight.ts";
import type { StoredDType, StoredTensor, WeightLayout } from "../../weights/source.ts";
import { expectDamaged } from "../support/hostile.ts";
import { storedFromFloat32 } from "../support/storedFromFloat32.ts";

/** Element by element, by coordinates. */
function reference(values: ArrayLike<number>, storedShape: readonly number[], layout: WeightLayout): number[] {
	const view = layout.view ?? storedShape;
	const order = layout.permute ?? view.map((_, axis) => axis);
	const shape = order.map((axis) => view[axis]);
	const padded = [...shape.slice(0, -1), layout.padLastTo ?? shape[shape.length - 1]];
	const count = padded.reduce((product, extent) => product * extent, 1);
	return Array.from({ length: count }, (_, flat) => {
		const index = [...padded].reverse().map((extent) => {
			const at = flat % extent;
			flat = Math.floor(flat / extent);
			return at;
		});
		const at = index.reverse();
		if (at.some((coordinate, axis) => coordinate >= shape[axis])) return 0;
		const source: number[] = new Array(order.length).fill(0);
		for (const [to, from] of order.entries()) source[from] = at[to];
		return values[source.reduce((sum, coordinate, axis) => sum * view[axis] + coordinate, 0)];
	});
}

describe("arrangeElements", () => {
	const layouts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }).chain((shape) =>
		fc.tuple(
			fc.constant(shape),
			fc.shuffledSubarray(
				shape.map((_, axis) => axis),
				{ minLength: shape.length },
			),
			fc.integer({ min: 0, max: 3 }),
		),
	);

	test("any permutation and padding, against coordinates", () => {
		fc.assert(
			fc.property(layouts, ([shape, permute, more]) => {
				const count = shape.reduce((product, extent) => product * extent, 1);
				const values = Float32Array.from({ length: count }, (_, i) => i + 1);
				const layout: WeightLayout = { permute, padLastTo: shape[permute[permute.length - 1]] + more, dtype: "f32" };
				const arranged = arrangeElements(values, shape, layout);
				expect([...arranged]).toEqual(reference(values, shape, layout));
				expect(arranged.length).toBe(arrangedShape(shape, layout).reduce((product, extent) => product * extent, 1));
			}),
			{ numRuns: 300 },
		);
	});

	test("a convolution's weight, viewed and moved", () => {
		const values = Float32Array.from({ length: 24 }, (_, i) => i);
		const layout: WeightLayout = { view: [2, 3, 4], permute: [2, 0, 1], dtype: "f32" };
		expect(arrangedShape([6, 4], layout)).toEqual([4, 2, 3]);
		expect([...arrangeElements(values, [6, 4], layout)]).toEqual(reference(values, [6, 4], layout));
	});

	test("nothing to do gives the same array, an empty tensor stays empty", () => {
		const values = new Float32Array(6);
		expect(arrangeElements(values, [2, 3], { dtype: "f32" })).toBe(values);
		expect(arrangeElements(values.subarray(0, 0), [0, 3], { permute: [1, 0], dtype: "f32" })).toHaveLength(0);
	});

	test.each<[WeightLayout, RegExp]>([
		[{ view: [5], dtype: "f32" }, /cannot be viewed/],
		[{ permute: [0, 0], dtype: "f32" }, /does not permute/],
		[{ permute: [0, 2], dtype: "f32" }, /does not permute/],
		[{ permute: [0], dtype: "f32" }, /does not permute/],
		[{ padLastTo: 2, dtype: "f32" }, /cannot be padded/],
	])("a layout that does not fit is the model's error, case %#", (layout, problem) => {
		expect(() => arrangedShape([2, 3], layout)).toThrow(problem);
	});
});

describe("castWeight", () => {
	const stored = (dtype: StoredDType, elements: { buffer: ArrayBufferLike }, count: number): StoredTensor => ({
		dtype,
		shape: [count],
		bytes: new Uint8Array(elements.buffer),
	});
	const cast = (tensor: StoredTensor, dtype: DType) => castWeight(tensor, dtype, "made.file", "a.weight");

	test("floats to f32 and f16", () => {
		const values = Float32Array.of(1, -2.5, 65504, 1e-8);
		expect([...cast(storedFromFloat32(values, [4]), "f32")]).toEqual([...values]);
		expect([...cast(storedFromFloat32(values, [4]), "f16")]).toEqual([...float32ToFloat16(values)]);
		const half = storedFromFloat32(values, [4], "F16");
		expect([...cast(half, "f32")]).toEqual([...float16ToFloat32(float32ToFloat16(values))]);
		expect([...cast(half, "f16")]).toEqual([...float32ToFloat16(values)]);
		expect([...cast(stored("BF16", Uint16Array.of(0x3f80, 0xc020), 2), "f16")]).toEqual([0x3c00, 0xc100]);
		expect([...cast(stored("F64", Float64Array.of(0.1), 1), "f32")]).toEqual([Math.fround(0.1)]);
	});

	test("integers to i32 and u32", () => {
		expect([...cast(stored("I64", BigInt64Array.of(-3n, 2n ** 31n - 1n), 2), "i32")]).toEqual([-3, 2 ** 31 - 1]);
		expect([...cast(stored("U8", Uint8Array.of(1, 255), 2), "u32")]).toEqual([1, 255]);
		expect([...cast(stored("BOOL", Uint8Array.of(0, 1), 2), "i32")]).toEqual([0, 1]);
	});

	test.each<[string, StoredTensor, DType, RegExp]>([
		["NaN in F32", stored("F32", Float32Array.of(0, Number.NaN), 2), "f32", /tensor "a.weight": holds NaN at index 1/],
		["infinity in F32", stored("F32", Float32Array.of(-Infinity), 1), "f16", /holds -Infinity at index 0/],
		["infinity in F16", stored("F16", Uint16Array.of(0, 0, 0x7c00), 3), "f16", /holds Infinity at index 2/],
		["NaN in F16", stored("F16", Uint16Array.of(0xfe00), 1), "f32", /holds NaN at index 0/],
		["NaN in BF16", stored("BF16", Uint16Array.of(0x7fc0), 1), "f32", /holds NaN/],
		["F32 beyond f16", stored("F32", Float32Array.of(1, -65505), 2), "f16", /holds -65505 at index 1, beyond the range of f16/],
		["BF16 beyond f16", stored("BF16", Uint16Array.of(0x4780), 1), "f16", /holds 65536/],
		["F64 beyond f32", stored("F64", Float64Array.of(1e300), 1), "f32", /holds Infinity/],
		["I64 beyond 32 bits", stored("I64", BigInt64Array.of(2n ** 31n), 1), "i32", /holds 2147483648/],
		["a negative index", stored("I32", Int32Array.of(-1), 1), "u32", /holds -1/],
		["integers for floats", stored("I32", Int32Array.of(1), 1), "f32", /I32 where floating-point/],
		["floats for integers", stored("F32", Float32Array.of(1), 1), "i32", /F32 where whole numbers/],
	])("refuses %s, naming file and tensor", async (_, tensor, dtype, problem) => {
		await expectDamaged(() => cast(tensor, dtype), problem);
	});
});

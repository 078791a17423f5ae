import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bfloat16ToFloat32, float16ToFloat32, float32ToFloat16, roundToFloat16 } from "../../engine/gpu/float16.ts";

/** The value of a float16 from its definition. */
function reference(bits: number): number {
	const sign = bits & 0x8000 ? -1 : 1;
	const exponent = (bits >>> 10) & 31;
	const fraction = bits & 1023;
	if (exponent === 31) return fraction > 0 ? Number.NaN : sign * Infinity;
	return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const everyFloat16 = Uint16Array.from({ length: 65536 }, (_, index) => index);

describe("float16", () => {
	test("every float16 has its value and comes back", () => {
		const values = float16ToFloat32(everyFloat16);
		const back = float32ToFloat16(values);
		for (let bits = 0; bits < 65536; bits++) {
			if (!Object.is(values[bits], reference(bits))) expect.fail(`${bits}: ${values[bits]}, expected ${reference(bits)}`);
			const expected = Number.isNaN(values[bits]) ? (bits & 0x8000) | 0x7e00 : bits;
			if (back[bits] !== expected) expect.fail(`${bits} came back as ${back[bits]}`);
		}
	});

	test("ties go to even, everything else to the nearest", () => {
		const unit = new Float32Array(1);
		const word = new Uint32Array(unit.buffer);
		for (let bits = 0; bits < 0x7bff; bits++) {
			unit[0] = (reference(bits) + reference(bits + 1)) / 2;
			const tie = word[0];
			const even = bits % 2 === 0 ? bits : bits + 1;
			const halves = float32ToFloat16(new Float32Array(Uint32Array.of(tie - 1, tie, tie + 1, tie | 0x80000000).buffer));
			if (halves.join() !== [bits, even, bits + 1, even | 0x8000].join()) expect.fail(`between ${bits} and ${bits + 1}: ${halves}`);
		}
	});

	test("the ends: overflow, the smallest, signed zero, infinity and NaN", () => {
		const values = [65504, 65519.99, 65520, -65520, 1e38, Infinity, -Infinity, Number.NaN, 2 ** -25, 2 ** -25 * 1.0001, 1e-45, -0];
		const halves = float32ToFloat16(Float32Array.from(values));
		expect([...halves]).toEqual([0x7bff, 0x7bff, 0x7c00, 0xfc00, 0x7c00, 0x7c00, 0xfc00, 0x7e00, 0, 1, 0, 0x8000]);
	});

	test("views that do not start at the buffer's beginning", () => {
		const values = Float32Array.of(9, 1, 2, 3).subarray(1);
		expect([...float32ToFloat16(values)]).toEqual([0x3c00, 0x4000, 0x4200]);
		expect([...float16ToFloat32(Uint16Array.of(9, 0x3c00, 0xc000).subarray(1))]).toEqual([1, -2]);
	});

	test("bfloat16 is the upper half of a float32", () => {
		expect([...bfloat16ToFloat32(Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x0001, 0x8000))]).toEqual([1, -2, Infinity, 2 ** -133, -0]);
		expect(bfloat16ToFloat32(Uint16Array.of(0x7fc1))[0]).toBeNaN();
	});

	test("roundToFloat16 rounds a double once", () => {
		fc.assert(
			fc.property(fc.double({ noNaN: true }), fc.integer({ min: -30, max: 20 }), (mantissa, exponent) => {
				const x = Number.isFinite(mantissa) ? (mantissa % 2) * 2 ** exponent : mantissa;
				const rounded = roundToFloat16(x);
				const bits = float32ToFloat16(Float32Array.of(rounded))[0];
				if (!Object.is(reference(bits), rounded)) return false;
				if (Math.abs(x) >= 65520) return Math.abs(rounded) === Infinity;
				const magnitude = bits & 0x7fff;
				const error = Math.abs(x - rounded);
				const neighbours = [magnitude - 1, magnitude + 1].filter((other) => other >= 0 && other < 0x7c00);
				return neighbours.every((other) => {
					const distance = Math.abs(Math.abs(x) - reference(other));
					return distance > error || (distance === error && magnitude % 2 === 0);
				});
			}),
			{ numRuns: 2000 },
		);
		expect(roundToFloat16(1 + 2 ** -11 + 2 ** -40)).toBe(1 + 2 ** -10);
		expect(roundToFloat16(Number.NaN)).toBeNaN();
		expect(Object.is(roundToFloat16(-0), -0)).toBe(true);
		expect(roundToFloat16(65519.999)).toBe(65504);
		expect(roundToFloat16(65520)).toBe(Infinity);
	});
});

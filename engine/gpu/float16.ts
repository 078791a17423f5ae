// IEEE 754 binary16 and bfloat16 on plain arrays: Node 20 has no Float16Array. Every conversion rounds to nearest, ties to even.

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

let float32BitsOfFloat16: Uint32Array | undefined;

/** Bits of the float32 of every float16, indexed by its bits: 256 KiB, made at the first use. */
function float32Table(): Uint32Array {
	if (float32BitsOfFloat16 !== undefined) return float32BitsOfFloat16;
	const table = new Uint32Array(65536);
	for (let bits = 0; bits < 65536; bits++) {
		const sign = (bits & 0x8000) << 16;
		const exponent = (bits >>> 10) & 31;
		const fraction = bits & 1023;
		if (exponent === 31) {
			table[bits] = sign | 0x7f800000 | (fraction << 13);
		} else if (exponent > 0) {
			table[bits] = sign | ((exponent + 112) << 23) | (fraction << 13);
		} else if (fraction > 0) {
			const leading = 31 - Math.clz32(fraction);
			table[bits] = sign | ((leading + 103) << 23) | ((fraction << (23 - leading)) & 0x7fffff);
		} else {
			table[bits] = sign;
		}
	}
	float32BitsOfFloat16 = table;
	return table;
}

/** float32 values of float16 bits (exact; the payload of a NaN is kept). torch: `x.float()`. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
	const table = float32Table();
	const values = new Float32Array(bits.length);
	const out = new Uint32Array(values.buffer);
	for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]];
	return values;
}

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/**
 * float16 bits of float32 values, nearest even: beyond 65,520 infinity, below 2^-25 a signed zero, NaN becomes a quiet NaN.
 * torch: `x.half()`.
 */
export function float32ToFloat16(values: Float32Array): Uint16Array {
	const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
	const out = new Uint16Array(values.length);
	for (let i = 0; i < source.length; i++) {
		const word = source[i];
		const magnitude = word & 0x7fffffff;
		let half: number;
		if (magnitude < 0x38800000) {
			// Below 2^-14 the last place of a float16 is 2^-24, that of float32 in [0.5, 1): adding 0.5 rounds there. The sum of doubles
			// cannot round to a false tie, because a float32 of at least 2^-25 ends at 2^-48 or above.
			scratchBits[0] = magnitude;
			scratchFloat[0] += 0.5;
			half = scratchBits[0] - 0x3f000000;
		} else if (magnitude < 0x47800000) {
			half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
		} else {
			half = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
		}
		out[i] = half | ((word >>> 16) & 0x8000);
	}
	return out;
}

/** float32 values of bfloat16 bits (exact). torch: `x.float()` of a bfloat16 tensor. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
	const values = new Float32Array(bits.length);
	const out = new Uint32Array(values.buffer);
	for (let i = 0; i < bits.length; i++) out[i] = bits[i] << 16;
	return values;
}

const exponentDouble = new Float64Array(1);
const exponentWords = new Uint32Array(exponentDouble.buffer);
const exponentWord = littleEndian ? 1 : 0;

/**
 * The float16 nearest to a double, ties to even, as a number: one rounding. Where the reference rounds to float32 first, pass
 * `Math.fround(x)`.
 */
export function roundToFloat16(x: number): number {
	if (!(Math.abs(x) < 65520)) return Number.isNaN(x) ? x : x > 0 ? Infinity : -Infinity;
	exponentDouble[0] = x;
	const exponent = Math.max(-14, ((exponentWords[exponentWord] >>> 20) & 2047) - 1023);
	// 1.5 * 2^52 units in the last place of the float16: the sum has no bit below that place.
	const anchor = 6755399441055744 * 2 ** (exponent - 10);
	const rounded = x + anchor - anchor;
	return rounded === 0 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : rounded;
}

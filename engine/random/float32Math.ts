// The float32 logarithm, sine and cosine of torch's vectorised CPU kernels, operation by operation, so that normals come out with the
// same bits: the single-precision polynomials of the Cephes library (S. Moshier), evaluated with fused multiply-adds.

const f32 = Math.fround;

/** float32 fused multiply-add: the product of two float32 is exact in a double, so only the sum and the result are rounded. */
function fma(a: number, b: number, c: number): number {
	return f32(a * b + c);
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

const logCoefficients = [
	7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1,
	3.3333331174e-1,
].map(f32);
const halfSquareRoot = f32(Math.SQRT1_2);
const log2Low = f32(-2.1219444e-4);
const log2High = f32(0.693359375);

/** Natural logarithm of a normal positive float32, within an ulp. */
export function logFloat32(x: number): number {
	scratch[0] = x;
	let exponent = (scratchBits[0] >>> 23) - 126;
	scratchBits[0] = (scratchBits[0] & 0x807fffff) | 0x3f000000;
	// The mantissa, in [sqrt(1/2), sqrt(2)), less 1.
	let m = scratch[0];
	if (m < halfSquareRoot) {
		exponent -= 1;
		m = f32(f32(m - 1) + m);
	} else {
		m = f32(m - 1);
	}
	const square = f32(m * m);
	let y = logCoefficients[0];
	for (let i = 1; i < logCoefficients.length; i++) y = fma(y, m, logCoefficients[i]);
	y = fma(f32(y * m), square, f32(exponent * log2Low));
	y = fma(-square, 0.5, y);
	return fma(exponent, log2High, f32(m + y));
}

const fourOverPi = f32(4 / Math.PI);
const quarterPi = [-0.78515625, -2.418756484985352e-4, -3.774894977445941e-8].map(f32);
const cosCoefficients = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2].map(f32);
const sinCoefficients = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1].map(f32);

/** Sine and cosine of a float32 angle of 0 to 8192 radians. */
export function sinCosFloat32(angle: number): [sine: number, cosine: number] {
	// The nearest even octant, and the rest in [-pi/4, pi/4] by three-part reduction.
	const octant = (Math.trunc(f32(angle * fourOverPi)) + 1) & ~1;
	let x = angle;
	for (const part of quarterPi) x = fma(octant, part, x);
	const square = f32(x * x);
	let c = fma(fma(cosCoefficients[0], square, cosCoefficients[1]), square, cosCoefficients[2]);
	c = f32(fma(f32(c * square), square, f32(-0.5 * square)) + 1);
	let s = fma(fma(sinCoefficients[0], square, sinCoefficients[1]), square, sinCoefficients[2]);
	s = fma(f32(s * square), x, x);
	const sineSign = octant & 4 ? -1 : 1;
	const cosineSign = (octant - 2) & 4 ? 1 : -1;
	return octant & 2 ? [sineSign * c, cosineSign * s] : [sineSign * s, cosineSign * c];
}

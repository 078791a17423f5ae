// The sine and cosine of NVIDIA's special function unit (CUDA's __sinf and __cosf, PTX sin.approx), bit for bit.
//
// Source: measured. The results for all 2^23 steps of a quarter turn were read off an H200 (CUDA 13.0, driver 580.159), and these
// integers are the only ones that give every one of them. The form is that of Oberman and Siu, "A high-performance area-efficient
// multifunction interpolator" (ARITH 2005): 64 quadratic pieces in fixed point, the square from truncated partial products. For
// position p = 2^17 piece + x:
//   sine = (2^11 constant[piece] + slope[piece] x - curvature[piece] square(x)) 2^-37, cut to 24 significant bits.

const constant = [
	0, 1646926, 3292872, 4936828, 6577812, 8214836, 9846906, 11473052, 13092282, 14703632, 16306120, 17898788, 19480670, 21050826, 22608290,
	24152140, 25681450, 27195286, 28692734, 30172904, 31634900, 33077832, 34500844, 35903084, 37283680, 38641832, 39976700, 41287492,
	42573406, 43833682, 45067552, 46274276, 47453130, 48603396, 49724388, 50815422, 51875848, 52905036, 53902340, 54867186, 55798976,
	56697166, 57561188, 58390546, 59184728, 59943264, 60665692, 61351576, 62000506, 62612084, 63185948, 63721758, 64219180, 64677922,
	65097690, 65478264, 65819388, 66120864, 66382514, 66604174, 66785714, 66927034, 67028028, 67088652,
];
const slope = [
	25737, 25730, 25706, 25668, 25613, 25544, 25459, 25358, 25243, 25112, 24966, 24805, 24629, 24438, 24233, 24013, 23778, 23529, 23266,
	22989, 22698, 22394, 22076, 21744, 21400, 21042, 20672, 20290, 19895, 19489, 19070, 18640, 18199, 17747, 17284, 16811, 16328, 15834,
	15332, 14820, 14299, 13769, 13232, 12686, 12133, 11572, 11004, 10430, 9849, 9263, 8671, 8073, 7471, 6864, 6254, 5639, 5021, 4400, 3776,
	3151, 2523, 1893, 1263, 632,
];
const curvature = [
	14, 48, 76, 110, 137, 171, 201, 229, 262, 292, 322, 352, 381, 410, 441, 470, 497, 525, 553, 581, 608, 637, 664, 688, 715, 738, 763, 790,
	812, 839, 859, 881, 904, 926, 946, 967, 988, 1004, 1025, 1043, 1059, 1074, 1093, 1107, 1123, 1136, 1148, 1162, 1172, 1185, 1196, 1203,
	1213, 1220, 1230, 1236, 1242, 1247, 1250, 1258, 1260, 1260, 1263, 1265,
];

const quarter = 2 ** 23;
const xBits = 17;

/** x^2 in units of 2^19: products of two bits below that weight are left out. */
function truncatedSquare(x: number): number {
	let square = 0;
	for (let bit = 10; bit < xBits; bit++) {
		if ((x >>> bit) & 1) square += ((x & ((1 << bit) - 1)) >>> (18 - bit)) + (1 << (2 * bit - 19));
	}
	return square;
}

let squares: Uint32Array | undefined;

/** `truncatedSquare` of every x, [2^17]: 512 KiB, made at the first use; noise for a picture asks a million times. */
function truncatedSquares(): Uint32Array {
	squares ??= Uint32Array.from({ length: 2 ** xBits }, (_, x) => truncatedSquare(x));
	return squares;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The float32 next to a value >= 0 towards zero. */
function towardsZero(value: number): number {
	scratch[0] = value;
	if (scratch[0] > value) scratchBits[0]--;
	return scratch[0];
}

const constants = Float64Array.from(constant, (value) => value * 2 ** 11);
const slopes = Float64Array.from(slope);
const curvatures = Float64Array.from(curvature);
// V8 raises 2 to a power anew every time, even where both are literals.
const sineUnit = 2 ** -37;
const stepsPerTurn = 2 ** 25;
const xMask = 2 ** xBits - 1;

/** Sine of the first quarter turn, of `position` 0 .. 2^23 - 1 steps of 2^-25 turns. */
function quarterSine(position: number, square: Uint32Array): number {
	const piece = position >>> xBits;
	const x = position & xMask;
	return towardsZero(constants[piece] + slopes[piece] * x - curvatures[piece] * square[x]) * sineUnit;
}

/** 1 / (2 pi) as CUDA multiplies by it. */
const turnsPerRadian = Math.fround(0.15915494);

/**
 * CUDA: `__sincosf(angle)` for a float32 angle of 0 to 2 pi, into out[0] and out[1]. The angle becomes turns (a float32 product cut towards
 * zero), then whole steps of 2^-25 turns; cosines and the falling quarters read the table from the other end by inverting the bits of the position.
 */
export function hardwareSinCos(angle: number, out: Float64Array): void {
	const square = truncatedSquares();
	const steps = (towardsZero(angle * turnsPerRadian) * stepsPerTurn) & (stepsPerTurn - 1);
	const position = steps & (quarter - 1);
	const rising = quarterSine(position, square);
	const falling = quarterSine(quarter - 1 - position, square);
	const turn = steps >>> 23;
	const odd = (turn & 1) === 1;
	const sine = odd ? falling : rising;
	const cosine = odd ? rising : falling;
	out[0] = turn > 1 ? -sine : sine;
	out[1] = turn === 1 || turn === 2 ? -cosine : cosine;
}

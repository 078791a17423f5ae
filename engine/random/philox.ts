import { float16ToFloat32, float32ToFloat16 } from "../gpu/float16.ts";
import { hardwareSinCos } from "./hardwareSine.ts";

// torch's CUDA generator: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). Which of the four
// lanes of which counter an element gets follows from how torch launches its kernel, so from the card: that is a parameter here.

/** The part of a card that torch's random kernels look at. */
export interface LaunchLayout {
	readonly multiprocessors: number;
	readonly threadsPerMultiprocessor: number;
}

/** The layout every run uses whatever its card: that of an H200, so that one seed gives one picture everywhere. */
export const fixedLaunchLayout: LaunchLayout = Object.freeze({ multiprocessors: 132, threadsPerMultiprocessor: 2048 });

const threadsPerBlock = 256;
const lanes = 4;

/** torch: `torch.manual_seed(seed)` on a CUDA device. Every draw moves the counter on, as in torch. */
export class TorchCudaGenerator {
	readonly #seed: number;
	readonly #layout: LaunchLayout;
	/** Draws per thread so far, a multiple of 4. */
	#offset = 0;

	/** `seed`: a whole number of 0 to 2^53 - 1. */
	constructor(seed: number, layout: LaunchLayout = fixedLaunchLayout) {
		this.#seed = seed;
		this.#layout = layout;
	}

	/** torch: `torch.randn(count, device="cuda", dtype=...)`; float16 values are given as the float32 numbers they are. */
	normals(count: number, dtype: "f16" | "f32"): Float32Array {
		const { multiprocessors, threadsPerMultiprocessor } = this.#layout;
		const blocks = Math.min(multiprocessors * Math.floor(threadsPerMultiprocessor / threadsPerBlock), Math.ceil(count / threadsPerBlock));
		const threads = blocks * threadsPerBlock;
		const rounds = Math.ceil(count / (threads * lanes));
		const values = new Float32Array(count);
		const random = new Uint32Array(lanes);
		const normals = new Float32Array(lanes);
		for (let round = 0; round < rounds; round++) {
			for (let thread = 0; thread < threads; thread++) {
				const first = round * threads * lanes + thread;
				if (first >= count) break;
				philox4x32(this.#offset / 4 + round, thread, this.#seed, random);
				boxMuller(random, normals, 0);
				boxMuller(random, normals, 2);
				for (let lane = 0; lane < lanes; lane++) {
					const index = first + lane * threads;
					if (index < count) values[index] = normals[lane];
				}
			}
		}
		this.#offset += rounds * lanes;
		return dtype === "f16" ? float16ToFloat32(float32ToFloat16(values)) : values;
	}
}

const words = 2 ** 32;

/** Ten rounds of Philox4x32 of the counter (position, subsequence), both 64 bits of which 53 are used, under a 64-bit key. */
export function philox4x32(position: number, subsequence: number, key: number, out: Uint32Array): void {
	let c0 = position | 0;
	let c1 = Math.floor(position / words) | 0;
	let c2 = subsequence | 0;
	let c3 = Math.floor(subsequence / words) | 0;
	let k0 = key | 0;
	let k1 = Math.floor(key / words) | 0;
	for (let round = 0; round < 10; round++) {
		const high0 = highProduct(0xd2511f53, c0);
		const high1 = highProduct(0xcd9e8d57, c2);
		const low0 = Math.imul(0xd2511f53, c0);
		const low1 = Math.imul(0xcd9e8d57, c2);
		c0 = high1 ^ c1 ^ k0;
		c1 = low1;
		c2 = high0 ^ c3 ^ k1;
		c3 = low0;
		k0 = (k0 + 0x9e3779b9) | 0;
		k1 = (k1 + 0xbb67ae85) | 0;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

/** The upper 32 bits of a product of two 32-bit numbers, as a signed one. */
function highProduct(a: number, b: number): number {
	const a0 = a & 0xffff;
	const a1 = a >>> 16;
	const b0 = b & 0xffff;
	const b1 = b >>> 16;
	// No sum of these is beyond 2^32 - 1.
	const middle = Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16);
	const carried = Math.imul(a0, b1) + (middle & 0xffff);
	return (Math.imul(a1, b1) + (middle >>> 16) + (carried >>> 16)) | 0;
}

const sineAndCosine = new Float64Array(2);
const unit = Math.fround(2.3283064e-10);
const unitAngle = Math.fround(unit * Math.fround(6.2831855));

/**
 * cuRAND's Box-Muller: two normals in float32 from words[at] and words[at + 1], out[at] with the sine, out[at + 1] with the cosine, both of the card's table.
 * The logarithm is the rounded one; CUDA's is an ulp off one time in thirteen, so a normal differs from a card's by up to 2 ulp.
 */
function boxMuller(words: Uint32Array, out: Float32Array, at: number): void {
	const u = Math.fround(Math.fround(words[at]) * unit + unit / 2);
	const angle = Math.fround(Math.fround(words[at + 1]) * unitAngle + unitAngle / 2);
	const radius = Math.fround(Math.sqrt(-2 * Math.fround(Math.log(u))));
	hardwareSinCos(angle, sineAndCosine);
	// torch adds the mean 0, which makes -0 (from u = 1) +0.
	out[at] = radius * sineAndCosine[0] + 0;
	out[at + 1] = radius * sineAndCosine[1] + 0;
}

import { logFloat32, sinCosFloat32 } from "./float32Math.ts";

// torch's CPU generator: mt19937 (Matsumoto and Nishimura 1998) with torch's own ways to floats. Every bit equals what torch gives on a
// processor with AVX2.

const stateLength = 624;
const shiftLength = 397;

/** torch: `torch.manual_seed(seed)` on the CPU. Draws come in one sequence over all calls, as in torch. */
export class TorchCpuGenerator {
	readonly #state = new Uint32Array(stateLength);
	#next = stateLength;
	/** The second value of the last pair that `normals` made for a short tensor. */
	#spareNormal: number | undefined;

	/** `seed`: the low 32 bits count. */
	constructor(seed: number) {
		const state = this.#state;
		state[0] = seed;
		for (let i = 1; i < stateLength; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
	}

	#twist(): void {
		const state = this.#state;
		for (let i = 0; i < stateLength; i++) {
			const bits = (state[i] & 0x80000000) | (state[(i + 1) % stateLength] & 0x7fffffff);
			state[i] = state[(i + shiftLength) % stateLength] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
		}
		this.#next = 0;
	}

	/** 32 random bits. */
	bits(): number {
		if (this.#next === stateLength) this.#twist();
		let y = this.#state[this.#next++];
		y ^= y >>> 11;
		y ^= (y << 7) & 0x9d2c5680;
		y ^= (y << 15) & 0xefc60000;
		return (y ^ (y >>> 18)) >>> 0;
	}

	/** torch: `torch.rand(count)`, float32 in [0, 1). */
	uniforms(count: number): Float32Array {
		const values = new Float32Array(count);
		for (let i = 0; i < count; i++) values[i] = (this.bits() & 0xffffff) * 2 ** -24;
		return values;
	}

	/** A double in [0, 1) from 53 bits of two draws. */
	#uniformDouble(): number {
		const high = this.bits();
		const low = this.bits();
		return ((high & 0x1fffff) * 2 ** 32 + low) * 2 ** -53;
	}

	/** torch: `torch.randn(count)`, float32. Fewer than 16 values come one by one from doubles, more in blocks of 16. */
	normals(count: number): Float32Array {
		if (count < 16) return Float32Array.from({ length: count }, () => this.#normalDouble());
		const values = this.uniforms(count);
		for (let start = 0; start + 16 <= count; start += 16) boxMuller16(values, start);
		if (count % 16 !== 0) {
			// The last 16 are drawn again, over the end of the block before them.
			values.set(this.uniforms(16), count - 16);
			boxMuller16(values, count - 16);
		}
		return values;
	}

	#normalDouble(): number {
		if (this.#spareNormal !== undefined) {
			const value = this.#spareNormal;
			this.#spareNormal = undefined;
			return value;
		}
		const angle = 2 * Math.PI * this.#uniformDouble();
		const radius = Math.sqrt(-2 * Math.log1p(-this.#uniformDouble()));
		this.#spareNormal = radius * Math.sin(angle);
		return radius * Math.cos(angle);
	}
}

const twoPi = Math.fround(2 * Math.PI);

/** 16 uniforms to 16 normals in float32: element j takes its radius from j and its angle from j + 8. */
function boxMuller16(values: Float32Array, start: number): void {
	for (let j = start; j < start + 8; j++) {
		const radius = Math.fround(Math.sqrt(-2 * logFloat32(1 - values[j])));
		const [sine, cosine] = sinCosFloat32(Math.fround(twoPi * values[j + 8]));
		values[j] = radius * cosine;
		values[j + 8] = radius * sine;
	}
}

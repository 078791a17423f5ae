import { TorchCpuGenerator } from "./mt19937.ts";

/**
 * numpy: the legacy `numpy.random.RandomState(seed)` (and `numpy.random.seed(seed)` with the module's functions). Its mt19937 is seeded
 * as torch's; integers come by masking and rejection, a draw of 32 bits each.
 */
export class NumpyRandomState {
	readonly #generator: TorchCpuGenerator;

	/** `seed`: 0 to 2^32 - 1. Throws a RangeError for others, as numpy does. */
	constructor(seed: number) {
		if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
			throw new RangeError(`NumpyRandomState: seed must be a whole number in 0..2^32 - 1, got ${seed}`);
		}
		this.#generator = new TorchCpuGenerator(seed);
	}

	/** numpy: `randint(0, count)`, 0 to count - 1; nothing is drawn where count is 1. */
	randint(count: number): number {
		if (!Number.isInteger(count) || count < 1 || count > 2 ** 32) {
			throw new RangeError(`NumpyRandomState.randint: count must be a whole number in 1..2^32, got ${count}`);
		}
		if (count === 1) return 0;
		const mask = 0xffffffff >>> Math.clz32(count - 1);
		for (;;) {
			const value = (this.#generator.bits() & mask) >>> 0;
			if (value < count) return value;
		}
	}

	/** numpy: `choice(values)`: one of them, each as likely. */
	choice<T>(values: readonly T[]): T {
		return values[this.randint(values.length)];
	}
}

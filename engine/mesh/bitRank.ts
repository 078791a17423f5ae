import { ones } from "../kernels/sparse/voxelSet.ts";

/**
 * A set of numbers below `size` as one bit each, with the count of members before every word: membership and position in the
 * sorted set cost one look-up. At 257^3 it takes 4 MB, where an index array would take 68.
 */
export interface BitRank {
	readonly size: number;
	/** Members in all. */
	readonly count: number;
	/** [ceil(size / 32)] bit (id & 31) of word (id >>> 5). */
	readonly words: Uint32Array;
	/** [ceil(size / 32)] members in all words before. */
	readonly ranks: Uint32Array;
}

/** Words for a set of numbers below `size`, all bits clear; set them with `mark`, then `rankBits`. */
export function emptyBits(size: number): Uint32Array {
	return new Uint32Array((size + 31) >>> 5);
}

/** Puts `id` into the set. */
export function mark(words: Uint32Array, id: number): void {
	words[id >>> 5] |= 1 << (id & 31);
}

/** Whether `id` is in the set. */
export function isMarked(words: Uint32Array, id: number): boolean {
	return ((words[id >>> 5] >>> (id & 31)) & 1) === 1;
}

/** Counts the members before every word. The words are kept, not copied. */
export function rankBits(size: number, words: Uint32Array): BitRank {
	const ranks = new Uint32Array(words.length);
	let count = 0;
	for (let i = 0; i < words.length; i++) {
		ranks[i] = count;
		count += ones(words[i]);
	}
	return { size, count, words, ranks };
}

/** The members in ascending order, [count]. */
export function members(set: BitRank): Uint32Array {
	const list = new Uint32Array(set.count);
	let next = 0;
	for (let i = 0; i < set.words.length; i++) {
		let word = set.words[i];
		while (word !== 0) {
			list[next++] = i * 32 + (31 - Math.clz32(word & -word));
			word &= word - 1;
		}
	}
	return list;
}

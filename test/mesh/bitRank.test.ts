import fc from "fast-check";
import { expect, it } from "vitest";
import { rankOfCell } from "../../engine/kernels/sparse/voxelSet.ts";
import { emptyBits, isMarked, mark, members, rankBits } from "../../engine/mesh/bitRank.ts";

it("is a sorted set: members, membership and positions", () => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 300 }), fc.array(fc.nat(299)), (size, values) => {
			const expected = [...new Set(values.filter((value) => value < size))].sort((a, b) => a - b);
			const words = emptyBits(size);
			for (const value of expected) mark(words, value);
			const set = rankBits(size, words);
			expect(set.count).toBe(expected.length);
			expect([...members(set)]).toEqual(expected);
			for (let id = 0; id < size; id++) {
				const position = expected.indexOf(id);
				expect(isMarked(words, id)).toBe(position >= 0);
				if (position >= 0) expect(rankOfCell(set, id)).toBe(position);
				const before = expected.filter((value) => value < (id & ~31)).length;
				expect(set.ranks[id >>> 5]).toBe(before);
			}
		}),
	);
});

it("counts full words", () => {
	const set = rankBits(96, new Uint32Array(3).fill(0xffffffff));
	expect(set.count).toBe(96);
	expect([...set.ranks]).toEqual([0, 32, 64]);
	expect([...members(set)]).toEqual(Array.from({ length: 96 }, (_, i) => i));
});

import fc from "fast-check";
import { expect, it } from "vitest";
import { arrivalHeap } from "../../engine/mesh/arrivalHeap.ts";

it("gives pixels by time, and by order of pushing where times are equal", () => {
	fc.assert(
		fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3000 }), (times) => {
			const heap = arrivalHeap();
			for (const [pixel, time] of times.entries()) heap.push(pixel, time);
			const expected = [...times.keys()].sort((a, b) => times[a] - times[b] || a - b);
			expect(times.map(() => heap.pop())).toEqual(expected);
			expect(heap.pop()).toBe(-1);
		}),
		{ numRuns: 30 },
	);
});

it("takes pushes between pops", () => {
	const heap = arrivalHeap();
	heap.push(1, 5);
	heap.push(2, 3);
	expect(heap.pop()).toBe(2);
	heap.push(3, 5);
	heap.push(4, 4);
	expect([heap.pop(), heap.pop(), heap.pop(), heap.pop()]).toEqual([4, 1, 3, -1]);
});

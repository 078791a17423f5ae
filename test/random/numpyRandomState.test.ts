import { expect, it } from "vitest";
import { NumpyRandomState } from "../../engine/random/numpyRandomState.ts";

it("draws what numpy 2.4.6 draws", () => {
	const seven = new NumpyRandomState(7);
	const integers = Array.from({ length: 12 }, () => seven.randint(100));
	expect(integers).toEqual([47, 68, 25, 67, 83, 23, 92, 57, 14, 23, 72, 89]);
	expect(Array.from({ length: 12 }, () => seven.choice([0, 2]))).toEqual([0, 0, 0, 0, 2, 0, 0, 0, 2, 2, 0, 0]);
	// The view order of the golden bake_texture: seed 0, nine views.
	const zero = new NumpyRandomState(0);
	expect(Array.from({ length: 20 }, () => zero.randint(9))).toEqual([5, 0, 3, 3, 7, 3, 5, 2, 4, 7, 6, 8, 8, 1, 6, 7, 7, 8, 1, 5]);
});

it("draws nothing for a single choice", () => {
	const [a, b] = [new NumpyRandomState(3), new NumpyRandomState(3)];
	for (let i = 0; i < 5; i++) expect(a.randint(1)).toBe(0);
	expect(a.randint(2 ** 32)).toBe(b.randint(2 ** 32));
});

it("refuses what numpy refuses", () => {
	expect(() => new NumpyRandomState(-1)).toThrow(RangeError);
	expect(() => new NumpyRandomState(2 ** 32)).toThrow(RangeError);
	expect(() => new NumpyRandomState(0).randint(0)).toThrow(RangeError);
	expect(() => new NumpyRandomState(0).choice([])).toThrow(RangeError);
});

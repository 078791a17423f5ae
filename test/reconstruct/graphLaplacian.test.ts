import { expect, it } from "vitest";
import { solveGraphLaplacian } from "../../engine/reconstruct/graphLaplacian.ts";

it("finds the least squares of a chain and its anchors", () => {
	// Four unknowns in a row that rise by 1, 2 and -1, the first held at 5.
	const ends = Uint32Array.of(0, 1, 1, 2, 2, 3);
	const weights = Float64Array.of(1, 3, 0.5);
	const targets = Float64Array.of(1 * 1, 3 * 2, 0.5 * -1);
	const anchors = Float64Array.of(2, 1e-12, 1e-12, 1e-12);
	const values = new Float64Array(4);
	solveGraphLaplacian({ ends, weights, targets, anchors, wanted: Float64Array.of(5, 0, 0, 0) }, values, 20);
	for (const [i, expected] of [5, 6, 8, 7].entries()) expect(values[i]).toBeCloseTo(expected, 6);
});

it("leaves a solution as it is", () => {
	const values = Float64Array.of(1, 1);
	solveGraphLaplacian(
		{
			...{ ends: Uint32Array.of(0, 1), weights: Float64Array.of(1), targets: Float64Array.of(0) },
			...{ anchors: Float64Array.of(1, 1), wanted: Float64Array.of(1, 1) },
		},
		values,
		10,
	);
	expect([...values]).toEqual([1, 1]);
});

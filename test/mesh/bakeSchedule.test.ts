import { expect, it } from "vitest";
import { bakeSteps } from "../../engine/mesh/bakeSchedule.ts";
import { NumpyRandomState } from "../../engine/random/numpyRandomState.ts";

it("looks at all views, then only at front and back; the rate lags one step", () => {
	const steps = bakeSteps(9, new NumpyRandomState(0));
	expect(steps.length).toBe(1000);
	// The golden bake_texture's `selected`.
	expect(steps.slice(0, 12).map(({ view }) => view)).toEqual([5, 0, 3, 3, 7, 3, 5, 2, 4, 7, 6, 8]);
	expect(steps.slice(925, 945).map(({ view }) => view)).toEqual([1, 3, 5, 7, 6, 2, 2, 0, 2, 2, 0, 2, 2, 0, 0, 2, 0, 2, 2, 0]);
	expect(steps.slice(931).every(({ view }) => view === 0 || view === 2)).toBe(true);
	expect(steps[0].learningRate).toBe(1e-2);
	expect(steps[1].learningRate).toBe(1e-2);
	expect(steps[501].learningRate).toBeCloseTo((1e-2 + 3e-5) / 2, 12);
	expect(steps[999].learningRate).toBeCloseTo(3e-5 + (0.5 * (1e-2 - 3e-5) * (Math.PI * 2e-3) ** 2) / 2, 9);
});

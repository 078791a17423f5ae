/** One step of the texture fit. */
export interface BakeStep {
	/** Which view is looked at. */
	readonly view: number;
	readonly learningRate: number;
}

/** Picks views at random; numpy's RandomState with the run's seed, in stages/. */
export interface ViewPicker {
	/** 0 to count - 1. */
	randint(count: number): number;
	choice<T>(values: readonly T[]): T;
}

/** Steps of the fit; upstream's. */
export const bakeStepCount = 1000;

const [firstRate, lastRate] = [1e-2, 3e-5];

/** Views of the last steps: front and back. */
const lastViews = [0, 2];

/**
 * Views and learning rates: all `viewCount` views, then only front and back after 93 % of the steps; the rate falls as a cosine that lags one
 * step, so that the first two steps have the same. Upstream: bake_texture; reference/stage2/ARCHITECTURE.md section 11.
 */
export function bakeSteps(viewCount: number, picker: ViewPicker, steps = bakeStepCount): BakeStep[] {
	return Array.from({ length: steps }, (_, step) => {
		const view = step <= 0.93 * steps ? picker.randint(viewCount) : picker.choice(lastViews);
		const phase = Math.max(0, step - 1) / steps;
		return { view, learningRate: lastRate + 0.5 * (firstRate - lastRate) * (1 + Math.cos(Math.PI * phase)) };
	});
}

import { expect, it } from "vitest";
import { normalFlow, normalPyramid } from "../../engine/reconstruct/normalFlow.ts";
import { drawnNormals, normalMapOf, twoBalls } from "../support/twoBalls.ts";

const size = 96;
const balls = (moved: number) => drawnNormals(twoBalls(moved), 0, size);

it("finds how far a thing before another one stands off, and that the other one does not", () => {
	const drawn = balls(0);
	const pyramid = normalPyramid(normalMapOf(balls(0.06)), size);
	const { steps, fit } = normalFlow(drawn, pyramid);
	const mean = (isThere: (depth: number, pixel: number) => boolean) => {
		let [sum, count] = [0, 0];
		for (let pixel = 0; pixel < size * size; pixel++) {
			if (!isThere(drawn.nearest[pixel], pixel)) continue;
			sum += steps[pixel * 2];
			count++;
		}
		return sum / count;
	};
	expect(Math.abs(mean((depth) => depth > 0.37) - 0.06 * size)).toBeLessThan(1);
	expect(Math.abs(mean((depth, pixel) => depth > 0 && depth < 0.3 && (pixel % size < 30 || pixel % size > 72)))).toBeLessThan(0.5);
	expect(fit[(size / 2) * size + size / 2]).toBeGreaterThan(0.8);
	expect(fit[0]).toBe(0);
	expect(normalFlow(drawn, pyramid)).toEqual({ steps, fit });
});

it("finds nothing to move where the view shows what is drawn", () => {
	const drawn = balls(0.02);
	const { steps } = normalFlow(drawn, normalPyramid(normalMapOf(drawn), size));
	expect(Math.max(...steps.map(Math.abs))).toBeLessThan(0.3);
});

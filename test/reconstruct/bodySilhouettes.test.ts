import { describe, expect, it } from "vitest";
import type { FourViews } from "../../engine/reconstruct/bodyDepths.ts";
import { bodySilhouettes } from "../../engine/reconstruct/bodySilhouettes.ts";
import { ellipsoidViews } from "../support/ellipsoidViews.ts";

const size = 48;
const axes = [0.3, 0.2, 0.4] as const;

describe("bodySilhouettes", () => {
	it("are the middle of opposite outlines", () => {
		const [front, right, , left] = ellipsoidViews(size, axes);
		const [, , wider] = ellipsoidViews(size, [0.34, 0.2, 0.4]);
		const [frontBack, leftRight] = bodySilhouettes([front, right, wider, left]);
		const row = 24;
		const crossing = (distance: Float32Array) => {
			const line = distance.subarray(row * size, (row + 1) * size);
			const last = line.findLastIndex((value) => value < 0);
			return (last + 0.5 + line[last] / (line[last] - line[last + 1])) / size - 0.5;
		};
		expect(Math.abs(crossing(frontBack) - 0.32)).toBeLessThan(0.5 / size);
		expect(Math.abs(crossing(leftRight) - 0.2)).toBeLessThan(0.5 / size);
	});

	it("refuses views of unequal size, an empty view, and views without a common height", () => {
		const views = ellipsoidViews(size, axes);
		const instead = (view: number, other: FourViews[number]) => views.map((one, i) => (i === view ? other : one)) as unknown as FourViews;
		expect(() => bodySilhouettes(instead(2, ellipsoidViews(24, axes)[2]))).toThrow(
			"The back normal map must be [48, 48, 3] as the front's is.",
		);
		const blank = { size, normal: new Uint8Array(size * size * 3).fill(255) };
		expect(() => bodySilhouettes(instead(1, blank))).toThrow("The right view shows nobody");
		const cut = (from: number, to: number) => (view: FourViews[number]) => ({
			size,
			normal: view.normal.map((value, i) => (Math.floor(i / 3 / size) >= from && Math.floor(i / 3 / size) < to ? value : 255)),
		});
		const [front, right, back, left] = views;
		const [upper, lower] = [cut(0, 20), cut(28, 48)];
		expect(() => bodySilhouettes([upper(front), lower(right), upper(back), lower(left)])).toThrow("no height is in all four silhouettes");
	});
});

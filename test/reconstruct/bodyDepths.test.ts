import { describe, expect, it } from "vitest";
import { bodyDepths, extended } from "../../engine/reconstruct/bodyDepths.ts";
import { bodySilhouettes } from "../../engine/reconstruct/bodySilhouettes.ts";
import { crossDepths } from "../../engine/reconstruct/crossDepths.ts";
import { ellipsoidViews } from "../support/ellipsoidViews.ts";

const [size, axes] = [96, [0.3, 0.18, 0.4]] as const;
const views = ellipsoidViews(size, axes);
const { frontBack, leftRight } = bodyDepths(views, bodySilhouettes(views), size);
/** Half of the ellipsoid's extent along `depth` at a pixel, in pixels; NaN outside. */
const half = (pixel: number, own: number, depth: number) => {
	const across = ((pixel % size) + 0.5) / size - 0.5;
	const z = 0.5 - (Math.floor(pixel / size) + 0.5) / size;
	return size * depth * Math.sqrt(1 - (across / own) ** 2 - (z / axes[2]) ** 2);
};

describe("bodyDepths", () => {
	it("finds an ellipsoid's surface from its normals and outlines to within a pixel", () => {
		for (const [pair, own, depth] of [
			[frontBack, axes[0], axes[1]],
			[leftRight, axes[1], axes[0]],
		] as const) {
			let [sum, count] = [0, 0];
			for (let pixel = 0; pixel < size * size; pixel++) {
				const expected = half(pixel, own, depth);
				if (Number.isNaN(expected)) continue;
				sum += Math.abs(pair.near[pixel] - (size / 2 - 0.5 - expected)) + Math.abs(pair.far[pixel] - (size / 2 - 0.5 + expected));
				count += 2;
			}
			expect(sum / count).toBeLessThan(0.6);
		}
	});

	it("gives the same numbers twice", () => {
		const again = bodyDepths(views, bodySilhouettes(views), size);
		expect(again.frontBack.near).toEqual(frontBack.near);
		expect(again.leftRight.far).toEqual(leftRight.far);
	});
});

describe("crossDepths", () => {
	it("says where the other cameras would meet the body", () => {
		const { near, far } = crossDepths(frontBack.level, frontBack);
		let worst = 0;
		for (let pixel = 0; pixel < size * size; pixel++) {
			const expected = half(pixel, axes[1], axes[0]);
			if (!(expected > 10)) continue; // next to the rim a pixel of depth is many pixels across
			worst = Math.max(worst, Math.abs(near[pixel] - (size / 2 - 0.5 - expected)), Math.abs(far[pixel] - (size / 2 - 0.5 + expected)));
		}
		expect(worst).toBeLessThan(4);
	});
});

describe("extended", () => {
	it("carries values on ring by ring, and fills the rest", () => {
		const values = new Float32Array(25).fill(Number.NaN);
		values[0] = 4;
		expect([...extended(values, 5, 1)]).toEqual([4, 4, ...Array(3).fill(2.5), 4, 4, ...Array(18).fill(2.5)]);
	});
});

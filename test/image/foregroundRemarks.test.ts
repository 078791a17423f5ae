import { expect, it } from "vitest";
import { foregroundRemarks } from "../../engine/image/foregroundRemarks.ts";
import { blankImage } from "../../engine/image/image.ts";

/** Opaque boxes [left, top, right, bottom) in a transparent picture. */
function picture(width: number, height: number, ...boxes: readonly (readonly [number, number, number, number])[]) {
	const image = blankImage(width, height, 4);
	for (const [left, top, right, bottom] of boxes)
		for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) image.data[(y * width + x) * 4 + 3] = 255;
	return image;
}

it("has nothing to say about one whole person, and small things beside", () => {
	expect(foregroundRemarks(picture(600, 900, [200, 100, 400, 800], [10, 700, 60, 800]))).toEqual([]);
	expect(foregroundRemarks(picture(30, 30))).toEqual([]);
});

it("names several people, what is cut off, and too few pixels", () => {
	expect(foregroundRemarks(picture(600, 900, [50, 100, 200, 800], [300, 120, 450, 800])).join()).toMatch(
		/^the picture shows 2 separate regions/,
	);
	expect(foregroundRemarks(picture(600, 900, [200, 100, 400, 900])).join()).toMatch(
		/^the person seems cut off by the picture's bottom edge/,
	);
	expect(foregroundRemarks(picture(600, 900, [0, 0, 400, 800])).join()).toMatch(/picture's top and left edge/);
	expect(foregroundRemarks(picture(100, 200, [30, 20, 60, 170])).join()).toMatch(/^the person is only about 150 pixels high/);
});

it("does not mind feet on the border", () => {
	expect(foregroundRemarks(picture(600, 900, [200, 100, 400, 890], [200, 890, 220, 900]))).toEqual([]);
});

import { expect, it } from "vitest";
import { type Image, imageOf } from "../../engine/image/image.ts";
import { bodyPictures } from "../../engine/stages/textureViews.ts";
import { stageOneResult } from "../support/stageResults.ts";

const side = 12;
const picture = (value: (x: number, y: number) => readonly number[]): Image =>
	imageOf(side, side, 3, Uint8Array.from(Array.from({ length: side * side }, (_, i) => value(i % side, Math.floor(i / side))).flat()));
const colors = [0, 1, 2, 3, 4].map((view) => picture((x, y) => [x * 10, y * 10, view]));
// The body stands in columns 0 to 2; a channel of 229 counts, 230 does not.
const normals = [0, 1, 2, 3, 4].map(() => picture((x) => (x < 3 ? [255, 229, 255] : [230, 255, 255])));
const pictures = bodyPictures({ ...stageOneResult(), colors, normals }, side);

it("shows front and right as they are, back and left mirrored, with masks from the normals", () => {
	for (const view of [0, 1, 2, 3]) {
		const { width, height, color, mask } = pictures[view];
		expect([width, height]).toEqual([side, side]);
		for (let i = 0; i < side * side; i++) {
			const [x, y] = [i % side, Math.floor(i / side)];
			const from = view >= 2 ? side - 1 - x : x;
			expect([...color.subarray(i * 3, i * 3 + 3)]).toEqual([from * 10, y * 10, view]);
			expect(mask[i]).toBe(from < 3 ? 1 : 0);
		}
	}
});

it("shows the face in the middle of the upper edge of a white picture of twice the size", () => {
	const { width, height, color, mask } = pictures[4];
	expect([width, height]).toEqual([24, 24]);
	const at = (x: number, y: number) => [...color.subarray((y * 24 + x) * 3, (y * 24 + x) * 3 + 3)];
	for (const [x, y] of [
		[7, 0],
		[16, 0],
		[12, 8],
		[0, 23],
	]) {
		expect(at(x, y)).toEqual([255, 255, 255]);
		expect(mask[y * 24 + x]).toBe(0);
	}
	// A resize by 2 / 3: pixel 1 lies at 1.75 of the source, colours are cut off to whole numbers.
	expect(at(9, 1)).toEqual([17, 17, 4]);
	expect([8, 9, 15].map((x) => mask[x])).toEqual([1, 1, 0]);
});

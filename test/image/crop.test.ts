import { describe, expect, test } from "vitest";
import { addMargin, crop, mirroredSamples } from "../../engine/image/crop.ts";
import { imageOf } from "../../engine/image/image.ts";
import { syntheticPersonPicture } from "../../runners/parity/syntheticPictures.ts";
import { sha256 } from "../support/sha256.ts";

describe("crop", () => {
	// Expected sums: Pillow 9.4.
	test.each([
		[[-5.5, 2.5, 20.5, 33.5], 26, 32, "f7e43100c7f4be87"],
		[[0.5, 1.5, 10.5, 12.5], 10, 10, "3ffe990119554062"],
		[[3, 4, 45, 39], 42, 35, "c5fa7691763f2ee2"],
	] as const)("box %j", (box, width, height, sum) => {
		const cropped = crop(syntheticPersonPicture(40, 30), box);
		expect([cropped.width, cropped.height]).toEqual([width, height]);
		expect(sha256(cropped.data)).toBe(sum);
	});

	test("a box outside, and an empty one", () => {
		const picture = syntheticPersonPicture(10, 10);
		expect(crop(picture, [20, 20, 22, 23]).data).toEqual(new Uint8Array(2 * 3 * 4));
		expect(crop(picture, [5, 5, 5, 9])).toMatchObject({ width: 0, height: 4 });
		expect(crop(picture, [5, 5, 3, 9])).toMatchObject({ width: 0, height: 4 });
	});

	test("the margin puts the picture in the middle, odd rests to the right and below", () => {
		const square = addMargin(imageOf(1, 2, 1, Uint8Array.of(7, 8)), 4);
		expect([...square.data]).toEqual([0, 0, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0]);
		expect(() => addMargin(imageOf(1, 2, 1, Uint8Array.of(7, 8)), 1)).toThrow(RangeError);
	});

	test("mirroredSamples exchanges left and right, row by row", () => {
		expect([...mirroredSamples(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 2, 3)]).toEqual([
			4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9,
		]);
		expect([...mirroredSamples(Uint8Array.of(1, 2, 3, 4), 2, 1)]).toEqual([2, 1, 4, 3]);
	});
});

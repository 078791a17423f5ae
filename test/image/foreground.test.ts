import { describe, expect, test } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { alphaBox, checkPersonImage } from "../../engine/image/foreground.ts";
import { blankImage, type Image } from "../../engine/image/image.ts";
import { syntheticPersonPicture, syntheticPicture } from "../../runners/parity/syntheticPictures.ts";

/** A transparent picture with one rectangle of this alpha. */
function withRectangle(alpha: number, left: number, top: number, width: number, height: number): Image {
	const image = blankImage(20, 20, 4);
	for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) image.data[(y * 20 + x) * 4 + 3] = alpha;
	return image;
}

function refusal(image: Image): SyncHumanError {
	try {
		checkPersonImage(image);
	} catch (error) {
		if (error instanceof SyncHumanError) return error;
	}
	throw new Error("was not refused");
}

describe("foreground", () => {
	test("the box is inclusive and takes alpha above the threshold only", () => {
		expect(alphaBox(withRectangle(100, 3, 5, 4, 2), 99)).toEqual([3, 5, 6, 6]);
		expect(alphaBox(withRectangle(100, 3, 5, 4, 2), 100)).toBeUndefined();
		expect(alphaBox(withRectangle(1, 0, 0, 20, 20), 0)).toEqual([0, 0, 19, 19]);
	});

	test.each([
		["no alpha channel", syntheticPicture(20, 20)],
		["opaque everywhere", withRectangle(255, 0, 0, 20, 20)],
		["shows nobody", blankImage(20, 20, 4)],
		["shows nobody", withRectangle(204, 2, 2, 9, 9)],
		["only 1 x 9 pixels", withRectangle(255, 2, 2, 1, 9)],
		["only 2 x 2 pixels", withRectangle(255, 2, 2, 2, 2)],
	])("refused: %s", (words, image) => {
		const error = refusal(image);
		expect(error.code).toBe("input");
		expect(error.message).toContain(words);
		expect(error.hint).toBeTruthy();
	});

	test("a person is accepted", () => {
		expect(() => checkPersonImage(syntheticPersonPicture(96, 80))).not.toThrow();
	});
});

import { describe, expect, test } from "vitest";
import { SyncHumanError } from "../../engine/error.ts";
import { pillowResize } from "../../engine/image/pillowResize.ts";
import { syntheticPersonPicture, syntheticPicture } from "../../runners/parity/syntheticPictures.ts";
import { sha256 } from "../support/sha256.ts";

// Expected sums: Pillow 9.4 on the same pictures.
describe("pillowResize", () => {
	test.each([
		[33, 40, "bae11570d97113d2", "b6af4e0b4ef1cada", "93471fbee61f5369"],
		[111, 150, "6f21914e27b02fb9", "ec88f6bcc20db811", "d1db154252c4d803"],
		[1, 1, "a08e5f48c4983366", "5c35f7dab0486760", "87c01e115caeb29e"],
		[200, 3, "63b558b5db0e459a", "57697107716dc7e2", "d77eb710330070bd"],
		[91, 20, "dc55b7312ab76660", "8a85bd3982057069", "14bb464a1e31d3d5"],
	])("RGB 91 x 67 to %i x %i", (width, height, bilinear, bicubic, lanczos) => {
		const picture = syntheticPicture(67, 91);
		expect(sha256(pillowResize(picture, width, height, "bilinear").data)).toBe(bilinear);
		expect(sha256(pillowResize(picture, width, height).data)).toBe(bicubic);
		expect(sha256(pillowResize(picture, width, height, "lanczos").data)).toBe(lanczos);
	});

	test.each([
		[96, 80, 64, 64, "213d1c1db2f1de25", "61c29853d5f1501b"],
		[96, 80, 150, 180, "45abd8f3e03fe36a", "f957995f582aa1d5"],
		[64, 64, 192, 192, "7a3975fef1c23efa", "9cc95eacae53f870"],
	])("RGBA %i high, %i wide, to %i x %i through premultiplied colours", (height, width, newWidth, newHeight, bicubic, lanczos) => {
		const picture = syntheticPersonPicture(height, width);
		expect(sha256(pillowResize(picture, newWidth, newHeight).data)).toBe(bicubic);
		expect(sha256(pillowResize(picture, newWidth, newHeight, "lanczos").data)).toBe(lanczos);
	});

	test("the same size is the same picture, alpha untouched", () => {
		const picture = syntheticPersonPicture(20, 30);
		expect(pillowResize(picture, 30, 20, "lanczos")).toBe(picture);
	});

	test("nothing to resize to is an input error", () => {
		expect(() => pillowResize(syntheticPicture(10, 10), 0, 5)).toThrow(SyncHumanError);
	});
});

import { describe, expect, test } from "vitest";
import { alphaBox, checkPersonImage } from "../../engine/image/foreground.ts";
import { loadPersonAndFace } from "../../engine/image/personImage.ts";
import { samplePerson } from "../../engine/image/samplePerson.ts";
import { sha256 } from "../support/sha256.ts";

describe("samplePerson", () => {
	const picture = samplePerson();

	test("is the same picture everywhere", () => {
		expect([picture.width, picture.height, picture.channels]).toEqual([768, 1024, 4]);
		expect(sha256(picture.data)).toBe(drawn);
	});

	test("is a whole person that both stages can use", () => {
		expect(() => checkPersonImage(picture)).not.toThrow();
		const [left, top, right, bottom] = alphaBox(picture, 204) ?? [0, 0, 0, 0];
		expect(bottom - top).toBeGreaterThan(900);
		expect(left).toBeGreaterThan(0);
		expect(right).toBeLessThan(767);
		expect(top).toBeGreaterThan(0);
		expect(bottom).toBeLessThan(1023);
	});

	test("has a soft edge and no colour where it is transparent", () => {
		const alphas = new Set<number>();
		let colouredButTransparent = 0;
		for (let i = 0; i < picture.data.length; i += 4) {
			const [red, green, blue, alpha] = picture.data.subarray(i, i + 4);
			alphas.add(alpha);
			if (alpha === 0 && red + green + blue > 0) colouredButTransparent++;
		}
		expect(colouredButTransparent).toBe(0);
		expect(alphas.size).toBeGreaterThan(50);
	});

	test("has its face where stage 1 cuts it out", () => {
		const { faceRgba } = loadPersonAndFace(picture, 768);
		const [x, y] = [384, 200];
		const [red, green, blue, alpha] = faceRgba.data.subarray((y * 768 + x) * 4);
		expect(alpha).toBe(255);
		expect(red).toBeGreaterThan(green);
		expect(green).toBeGreaterThan(blue);
	});
});

const drawn = "5bc1261ce9ceab7c";

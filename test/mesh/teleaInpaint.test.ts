import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { teleaInpaint } from "../../engine/mesh/teleaInpaint.ts";

const golden = JSON.parse(readFileSync(new URL("../fixtures/mesh/bakeTexture.json", import.meta.url), "utf8"));
const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, "base64"));

it("fills a texture bit for bit as OpenCV does", () => {
	const packed = bytes(golden.mask);
	const mask = Uint8Array.from({ length: golden.size ** 2 }, (_, i) => (packed[i >> 3] >> (7 - (i & 7))) & 1);
	const filled = teleaInpaint(bytes(golden.beforeInpaint), mask, golden.size, golden.size, 3);
	expect(filled).toEqual(bytes(golden.texture));
});

it("continues a flat colour and leaves known pixels alone", () => {
	const [width, height] = [9, 7];
	const image = new Uint8Array(width * height * 3).fill(90);
	const mask = new Uint8Array(width * height);
	for (const [x, y] of [
		[4, 3],
		[3, 3],
		[4, 2],
	]) {
		mask[y * width + x] = 1;
		image.fill(255, (y * width + x) * 3, (y * width + x) * 3 + 3);
	}
	const filled = teleaInpaint(image, mask, width, height, 3);
	// OpenCV adds a half before it rounds to nearest, and a gradient's direction counts whatever its size.
	for (const value of filled) expect(Math.abs(value - 90)).toBeLessThanOrEqual(3);
	mask.forEach((unknown, i) => {
		if (unknown === 0) expect([...filled.subarray(i * 3, i * 3 + 3)]).toEqual([90, 90, 90]);
	});
});

it("fills far from the known pixels, and nothing where nothing is known", () => {
	const size = 40;
	const image = new Uint8Array(size * size * 3);
	const mask = new Uint8Array(size * size).fill(1);
	expect(teleaInpaint(image, mask, size, size, 3)).toEqual(image);
	mask[20 * size + 20] = 0;
	image.fill(200, (20 * size + 20) * 3, (20 * size + 20) * 3 + 3);
	const filled = teleaInpaint(image, mask, size, size, 3);
	for (const value of filled) expect(Math.abs(value - 200)).toBeLessThanOrEqual(40);
	expect(() => teleaInpaint(image, mask, size, size + 1, 3)).toThrow(RangeError);
});

import { expect, it } from "vitest";
import { faceCanvas } from "../../engine/image/faceCanvas.ts";
import { imageOf } from "../../engine/image/image.ts";

it("puts the face into the middle third of the upper third of a white canvas twice as large", () => {
	const side = 9;
	const face = imageOf(
		side,
		side,
		3,
		Uint8Array.from({ length: side * side * 3 }, (_, i) => [Math.floor(i / 3) % side, Math.floor(i / 27), 7][i % 3] * 20),
	);
	const canvas = faceCanvas(face);
	expect([canvas.width, canvas.height]).toEqual([18, 18]);
	for (let row = 0; row < 18; row++) {
		for (let column = 0; column < 18; column++) {
			const pixel = [...canvas.data.subarray((row * 18 + column) * 3, (row * 18 + column) * 3 + 3)];
			if (row >= 6 || column < 6 || column >= 12) expect(pixel).toEqual([255, 255, 255]);
			else {
				// A ramp of 20 a pixel, looked up at 1.5 (i + 0.5) - 0.5, cut off.
				const ramp = (i: number) => 20 * (1.5 * (i + 0.5) - 0.5);
				expect(Math.abs(pixel[0] - ramp(column - 6))).toBeLessThanOrEqual(1);
				expect(Math.abs(pixel[1] - ramp(row))).toBeLessThanOrEqual(1);
				expect(Math.abs(pixel[2] - 140)).toBeLessThanOrEqual(1);
			}
		}
	}
});

it("refuses other shapes", () => {
	expect(() => faceCanvas(imageOf(6, 3, 3, new Uint8Array(54)))).toThrow(RangeError);
	expect(() => faceCanvas(imageOf(4, 4, 3, new Uint8Array(48)))).toThrow(RangeError);
});

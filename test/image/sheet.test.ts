import { expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { middleColumns, overBackground, pictureRow } from "../../engine/image/sheet.ts";

it("puts pictures side by side", () => {
	const grey = (value: number, width: number) => imageOf(width, 2, 3, new Uint8Array(width * 6).fill(value));
	const sheet = pictureRow([grey(1, 1), grey(2, 2)], 1);
	expect([sheet.width, sheet.height]).toEqual([4, 2]);
	expect([...sheet.data].filter((_, i) => i % 3 === 0)).toEqual([1, 255, 2, 2, 1, 255, 2, 2]);
	expect([...middleColumns(sheet, 2).data].filter((_, i) => i % 3 === 0)).toEqual([255, 2, 255, 2]);
});

it("lays straight alpha over a colour", () => {
	const picture = imageOf(3, 1, 4, Uint8Array.of(10, 20, 30, 0, 10, 20, 30, 255, 200, 0, 100, 51));
	expect([...overBackground(picture, [100, 100, 100]).data]).toEqual([100, 100, 100, 10, 20, 30, 120, 80, 100]);
});

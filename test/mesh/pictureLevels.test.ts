import { expect, it } from "vitest";
import { pictureLevels } from "../../engine/mesh/pictureLevels.ts";

it("halves a picture down to one pixel, odd sizes too, and makes it opaque", () => {
	const data = Uint8Array.from({ length: 5 * 2 * 3 }, (_, i) => i * 8);
	const levels = pictureLevels({ width: 5, height: 2, channels: 3, data });
	expect(levels.map(({ width, height }) => [width, height])).toEqual([
		[5, 2],
		[2, 1],
		[1, 1],
	]);
	const mean = (...pixels: number[]) => (pixels.reduce((sum, pixel) => sum + data[pixel * 3], 0) + 2) >> 2;
	expect([levels[1].data[0], levels[1].data[4], levels[1].data[3]]).toEqual([mean(0, 1, 5, 6), mean(2, 3, 7, 8), 255]);
	expect(pictureLevels({ width: 1, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 4) })).toEqual([
		{ width: 1, height: 1, data: Uint8Array.of(1, 2, 3, 255) },
	]);
});

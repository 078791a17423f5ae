import { describe, expect, test } from "vitest";
import { bilinearResize } from "../../engine/image/bilinear.ts";
import { imageNetStatistics, normalizeColors, truncateToImage } from "../../engine/image/image.ts";
import { viewForDino } from "../../engine/image/stageViews.ts";
import { syntheticFloat32 } from "../../engine/random/synthetic.ts";
import { sha256 } from "../support/sha256.ts";

function channelsLast(data: Float32Array, channels: number, size: number): Float32Array {
	return data.map((_, i) => {
		const [image, pixel, channel] = [Math.floor(i / (channels * size * size)), Math.floor(i / channels) % (size * size), i % channels];
		return data[(image * channels + channel) * size * size + pixel];
	});
}

describe("bilinear", () => {
	// Expected sum: torch 1.13 with AVX2 (goldens stage2/image_loading, encode_normalised).
	test("four views of 24 to 28 pixels, normalised, bit for bit", () => {
		const input = channelsLast(syntheticFloat32("input:mv", [1, 4, 3, 24, 24], 0, { offset: 0.5, scale: 0.5 }), 3, 24);
		const output = new Float32Array(4 * 28 * 28 * 3);
		for (let view = 0; view < 4; view++) {
			const image = { width: 24, height: 24, channels: 3, data: input.slice(view * 1728, (view + 1) * 1728) };
			output.set(viewForDino(image, 28).data, view * 28 * 28 * 3);
		}
		expect(sha256(output)).toBe("44073310abf4d8da");
	});

	test("an odd factor downwards picks pixels, edges are repeated upwards", () => {
		const row = { width: 6, height: 1, channels: 1, data: Float32Array.of(0, 1, 2, 3, 4, 5) };
		expect([...bilinearResize(row, 2, 1).data]).toEqual([1, 4]);
		expect([...bilinearResize({ ...row, width: 2, data: Float32Array.of(0, 1) }, 4, 1).data]).toEqual([0, 0.25, 0.75, 1]);
	});

	test("normalisation wants three channels; truncation gives k/255 back", () => {
		expect(() => normalizeColors({ width: 1, height: 1, channels: 1, data: Float32Array.of(0) }, imageNetStatistics)).toThrow(RangeError);
		const ramp = Float32Array.from({ length: 256 }, (_, k) => k / 255);
		expect([...truncateToImage({ width: 256, height: 1, channels: 1, data: ramp }).data]).toEqual(Array.from({ length: 256 }, (_, k) => k));
	});
});

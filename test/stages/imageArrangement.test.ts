import { describe, expect, it } from "vitest";
import { faceLastViews } from "../../engine/layers/multiviewLayout.ts";
import {
	channelsLast,
	concatenated,
	imagesFromOfficial,
	imagesOfPictures,
	split,
	withNoiseLevel,
} from "../../engine/stages/imageArrangement.ts";

const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => i);

describe("imageArrangement", () => {
	it("turns channels first to channels last", () => {
		expect([...channelsLast(numbers(6), 2)]).toEqual([0, 3, 1, 4, 2, 5]);
	});

	it("puts upstream's normals of all views, colours of all views side by side view by view", () => {
		expect([...imagesFromOfficial(numbers(6), 3)]).toEqual([0, 3, 1, 4, 2, 5]);
		// Two channels of two pixels an image: images 0 and 2 of the four are view 0's.
		expect([...imagesFromOfficial(numbers(16), 2, 2)]).toEqual([0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15]);
	});

	it("gives every view the person, and the last one the face", () => {
		const images = imagesOfPictures(faceLastViews(3), [Float32Array.of(1), Float32Array.of(2)]);
		expect([...images]).toEqual([1, 1, 1, 1, 2, 2]);
	});

	it("appends the sinusoid of a noise level: of level 0 ones, then zeros", () => {
		expect([...withNoiseLevel(Float32Array.of(5, 6, 7, 8), 0)]).toEqual([5, 6, 7, 8, 1, 1, 0, 0]);
	});

	it("splits into views of the same memory, and joins", () => {
		const values = numbers(6);
		const parts = split(values, 3);
		expect(parts.map((part) => [...part])).toEqual([
			[0, 1],
			[2, 3],
			[4, 5],
		]);
		expect(parts[1].buffer).toBe(values.buffer);
		expect(concatenated(parts)).toEqual(values);
	});
});

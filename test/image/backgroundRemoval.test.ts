import { describe, expect, it } from "vitest";
import { backgroundInput, maskFor, premultipliedCutOut, saliencyMask, straightCutOut } from "../../engine/image/backgroundRemoval.ts";
import { imageOf } from "../../engine/image/image.ts";

const picture = (channels: number, ...samples: number[]) => imageOf(samples.length / channels, 1, channels, Uint8Array.from(samples));

describe("backgroundInput", () => {
	it("divides by the picture's own maximum, in f64, and drops alpha", () => {
		const gray = imageOf(
			64,
			80,
			4,
			new Uint8Array(64 * 80 * 4).map((_, i) => [50, 100, 200, 3][i % 4]),
		);
		const { resized, pixels } = backgroundInput(gray);
		expect([resized.width, resized.height, resized.channels]).toEqual([320, 320, 3]);
		const expected = [(0.25 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225].map(Math.fround);
		expect([...pixels.data.subarray(0, 3)]).toEqual(expected);
		expect([...pixels.data.subarray(-3)]).toEqual(expected);
	});

	it("takes a black picture", () => {
		const { pixels } = backgroundInput(imageOf(320, 320, 3, new Uint8Array(320 * 320 * 3)));
		expect(pixels.data[0]).toBe(Math.fround(-0.485 / 0.229));
	});
});

describe("saliencyMask", () => {
	it("stretches to 0..255 and cuts off", () => {
		expect([...saliencyMask(Float32Array.of(0.25, 0.5, 0.75, 0.3), 4, 1).data]).toEqual([0, 127, 255, 25]);
	});

	it("is empty where the output is equal everywhere", () => {
		expect([...saliencyMask(new Float32Array(4).fill(0.7), 2, 2).data]).toEqual([0, 0, 0, 0]);
	});
});

describe("cut-outs", () => {
	it("keep colours, or premultiply them as Pillow's composite does", () => {
		const mask = imageOf(3, 1, 1, Uint8Array.of(0, 128, 255));
		const rgb = picture(3, 10, 20, 30, 101, 200, 255, 7, 8, 9);
		expect([...straightCutOut(rgb, mask).data]).toEqual([10, 20, 30, 0, 101, 200, 255, 128, 7, 8, 9, 255]);
		expect([...premultipliedCutOut(rgb, mask).data]).toEqual([0, 0, 0, 0, 51, 100, 128, 128, 7, 8, 9, 255]);
	});

	it("multiply a picture's own alpha", () => {
		expect([...straightCutOut(picture(4, 1, 2, 3, 128), imageOf(1, 1, 1, Uint8Array.of(128))).data]).toEqual([1, 2, 3, 64]);
	});

	it("take a mask of another size by LANCZOS, on 8 bits", () => {
		const { width, height, data } = maskFor(imageOf(8, 3, 3, new Uint8Array(72)), imageOf(4, 1, 1, Uint8Array.of(0, 0, 255, 255)));
		expect([width, height, Math.min(...data), Math.max(...data)]).toEqual([8, 3, 0, 255]);
	});
});

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type FloatImage, imageOf, vaeInput } from "../../engine/image/image.ts";
import { decodedToFloat, inputForDino, loadView, pasteFaceNormals, quantize, viewStrip } from "../../engine/image/stageViews.ts";

/** The decoded picture k of goldens stage1/postprocess. */
function decoded(k: number): FloatImage {
	const data = new Float32Array(768 * 768 * 3);
	for (let i = 0; i < data.length; i++) {
		const [y, x, c] = [Math.floor(i / (768 * 3)), Math.floor(i / 3) % 768, i % 3];
		data[i] = Math.fround(((y * 131 + x * 71 + c * 37 + k * 19) % 257) / 128) - Math.fround(1.004);
	}
	return { width: 768, height: 768, channels: 3, data };
}

const pixel = (value: number) => imageOf(1, 1, 3, Uint8Array.of(value, value, value));

describe("stageViews", () => {
	test("front normals with the face pasted, as they are saved", () => {
		const saved = quantize(pasteFaceNormals(decodedToFloat(decoded(0)), decodedToFloat(decoded(1))));
		const sum = createHash("sha256").update(saved.data).digest("hex");
		expect(sum).toBe("2a95c7418208846350479cb215689f7c1b7f2ee2d1bd3f6ac20ea1679f593cfd");
	});

	test("pasting leaves its arguments alone and refuses what has no third", () => {
		const front = { width: 3, height: 3, channels: 1, data: new Float32Array(9) };
		const face = { ...front, data: Float32Array.from({ length: 9 }, (_, i) => i) };
		expect([...pasteFaceNormals(front, face).data]).toEqual([0, 4, 0, 0, 0, 0, 0, 0, 0]);
		expect([...front.data]).toEqual(new Array(9).fill(0));
		expect(() => pasteFaceNormals({ ...front, width: 4, height: 4, data: new Float32Array(16) }, face)).toThrow(RangeError);
	});

	test("values are clamped and rounded", () => {
		const image = { width: 5, height: 1, channels: 1, data: Float32Array.of(-3, -1, 0, 1, 2) };
		expect([...decodedToFloat(image).data]).toEqual([0, 0, 0.5, 1, 1]);
		expect([...quantize({ ...image, data: Float32Array.of(-0.1, 0.49 / 255, 0.5 / 255, 254.6 / 255, 2) }).data]).toEqual([
			0, 0, 1, 255, 255,
		]);
	});

	test("the overview goes colour, normals, colour, normals", () => {
		const strip = viewStrip([pixel(1), pixel(2)], [pixel(11), pixel(12)]);
		expect([strip.width, strip.height]).toEqual([4, 1]);
		expect([...strip.data].filter((_, i) => i % 3 === 0)).toEqual([1, 11, 2, 12]);
	});

	test("a view that has its size is taken as it is, without its alpha", () => {
		const view = loadView(imageOf(1, 1, 4, Uint8Array.of(51, 102, 255, 7)), 1);
		expect([...view.data]).toEqual([51, 102, 255].map((k) => Math.fround(k / 255)));
	});

	test("what the networks get", () => {
		expect([...vaeInput(imageOf(1, 1, 3, Uint8Array.of(0, 255, 51))).data]).toEqual([-1, 1, Math.fround(Math.fround(0.4) - 1)]);
		const [red] = inputForDino(imageOf(1, 1, 3, Uint8Array.of(255, 0, 0))).data;
		expect(red).toBeCloseTo((1 - 0.485) / 0.229, 6);
	});
});

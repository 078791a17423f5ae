import { expect, test } from "vitest";
import { clipPixels } from "../../engine/image/clipPixels.ts";
import { syntheticPicture } from "../../runners/parity/syntheticPictures.ts";
import { sha256 } from "../support/sha256.ts";

const official = {
	shortestEdge: 224,
	cropWidth: 224,
	cropHeight: 224,
	rescaleFactor: 0.00392156862745098,
	mean: [0.48145466, 0.4578275, 0.40821073],
	deviation: [0.26862954, 0.26130258, 0.27577711],
};

// Expected values: transformers 4.36's CLIPImageProcessor (goldens stage1/clip_vision).
test("clipPixels: a wide picture, bit for bit", () => {
	const pixels = clipPixels(syntheticPicture(300, 400), official);
	expect([pixels.height, pixels.width, pixels.channels]).toEqual([224, 224, 3]);
	expect(sha256(pixels.data)).toBe("f59d8dbd8aa97405");
});

test("clipPixels: a tall picture", () => {
	const { data } = clipPixels(syntheticPicture(384, 320), official);
	// Elements 0, 37, 74 and 111 of the first channel.
	expect([0, 37, 74, 111].map((i) => data[i * 3])).toEqual([
		-0.2010340541601181, -0.1718371957540512, 0.674871563911438, -0.5659946799278259,
	]);
});

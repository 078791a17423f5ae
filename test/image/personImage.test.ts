import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { alphaBox } from "../../engine/image/foreground.ts";
import { truncateToImage } from "../../engine/image/image.ts";
import { centredOnBlack, loadPersonAndFace } from "../../engine/image/personImage.ts";
import { syntheticPersonPicture } from "../../runners/parity/syntheticPictures.ts";

const sum = (data: ArrayBufferView) =>
	createHash("sha256")
		.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
		.digest("hex");

// Expected sums: the official functions with Pillow 9.4 (goldens stage1/preprocess, case.json).
describe("personImage", () => {
	test.each([
		{
			size: [640, 512],
			margin: "1284b9c6ee03d5f065c376c81f821aeb7c213679381af19b9aa39ab52ba591e2",
			face: "df9e059b03cc862d009842085a52103ca81b19f098734096ebb6ee1f4d20f6c7",
			person: "9cee882bf8e5fb27556b04e9232fca3f75b4a28d87c2ac51910822b34d33535e",
			faceFloat: "fcb27fdf9560f69453d5d896ffbc27b296b3882e9bdb359539f736bd880f8b5a",
			onBlack: "1264ee28a1eb4c66d8bcf538cad5d4399ee26367ed440a1cc80bc5f641ef9981",
		},
		{
			size: [333, 777],
			margin: "8f50d11687088f0183b74a5f6d8eb2a74ecbca168e14d62df1c69e570c1b3086",
			face: "c7cca3f8cda1eec28565254125ef929b1becf1c316a057795796468b29af0416",
			person: "fc6f18f7e5ae19e5efbc05a86c0e342b7373051a4892ffd6e6608d77fa611156",
			faceFloat: "2e6160f8fdfab9c466db92b9d8002de6e90195b4b9811c0c708efaa2c7a6704e",
			onBlack: "5a4a87f69a71183ad52058a5d27c23ca3e569cb4b3365d5fee9e64d70db1c567",
		},
	])("$size: both ways, bit for bit", ({ size: [height, width], margin, face, person, faceFloat, onBlack }) => {
		const picture = syntheticPersonPicture(height, width);
		const loaded = loadPersonAndFace(picture, 768);
		expect(sum(loaded.marginRgba.data)).toBe(margin);
		expect(sum(loaded.faceRgba.data)).toBe(face);
		expect(sum(loaded.person.data)).toBe(person);
		expect(sum(loaded.face.data)).toBe(faceFloat);
		expect(sum(centredOnBlack(picture, 518).data)).toBe(onBlack);
	});

	test("the picture on white as the encoders see it", () => {
		const { person } = loadPersonAndFace(syntheticPersonPicture(640, 512), 768);
		expect(sum(truncateToImage(person).data)).toBe("31472e38b531ec6c63b2f5564fcf02d8ddb1b97cb61830ce336819d0c49e1710");
	});

	test("other sizes keep the proportions", () => {
		const { person, face } = loadPersonAndFace(syntheticPersonPicture(96, 80), 384);
		expect([person.width, person.height, face.width, face.height]).toEqual([384, 384, 384, 384]);
	});

	test("a crop size leaves a margin; a negative one keeps the picture's own", () => {
		const picture = syntheticPersonPicture(96, 80);
		const heightAbove = (cropSize: number) => {
			const { marginRgba } = loadPersonAndFace(picture, 384, cropSize);
			const [, top, , bottom] = alphaBox(marginRgba, 0) ?? [0, 0, 0, 0];
			return bottom - top + 1;
		};
		expect(heightAbove(384)).toBe(384);
		expect(heightAbove(370)).toBe(370);
		expect(heightAbove(-1)).toBeCloseTo((384 / 96) * 80, -1);
	});
});

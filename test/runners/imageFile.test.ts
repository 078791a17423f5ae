import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { imageOf } from "../../engine/image/image.ts";
import { decodePicture, encodePng, pictureLimits } from "../../runners/imageFile.ts";
import { failureOf } from "../support/hostile.ts";
import { hugePng } from "../support/hugePng.ts";

const side = 24;
const samples = Uint8Array.from({ length: side * side * 4 }, (_, i) => (i * 7919) >> 3);
const made = (channels = 4) =>
	sharp(samples.slice(0, side * side * channels), { raw: { width: side, height: side, channels: channels as 3 | 4 } });

describe("decodePicture", () => {
	it("gives back what encodePng wrote, and encodePng the same bytes", async () => {
		for (const channels of [3, 4]) {
			const image = imageOf(side, side, channels, samples.slice(0, side * side * channels));
			const file = await encodePng(image);
			expect(await decodePicture(file, "a.png")).toEqual(image);
			expect(await encodePng(image)).toEqual(file);
		}
		await expect(encodePng(imageOf(1, 1, 1, Uint8Array.of(0)))).rejects.toThrow(/3 or 4 channels/);
	});

	it("cuts 16-bit samples to their upper byte", async () => {
		const wide = Uint16Array.from({ length: side * side * 4 }, (_, i) => (i * 9973) & 0xffff);
		const file = await sharp(wide, { raw: { width: side, height: side, channels: 4 } })
			.toColourspace("rgb16")
			.png()
			.toBuffer();
		expect((await decodePicture(file, "a.png")).data).toEqual(Uint8Array.from(wide, (value) => value >> 8));
	});

	it("turns a picture as its EXIF orientation says", async () => {
		const halves = new Uint8Array(32 * 16 * 3);
		for (let pixel = 0; pixel < 32 * 16; pixel++) halves.fill(pixel % 32 < 16 ? 250 : 5, pixel * 3, pixel * 3 + 3);
		const file = await sharp(halves, { raw: { width: 32, height: 16, channels: 3 } })
			.withMetadata({ orientation: 6 })
			.jpeg()
			.toBuffer();
		const turned = await decodePicture(file, "a.jpg");
		expect([turned.width, turned.height, turned.channels]).toEqual([16, 32, 3]);
		expect(turned.data[0]).toBeGreaterThan(200);
		expect(turned.data[turned.data.length - 1]).toBeLessThan(50);
	});

	it("makes RGB of grey and palette pictures, and reads WebP", async () => {
		const grey = await sharp(samples.slice(0, side * side), { raw: { width: side, height: side, channels: 1 } })
			.png()
			.toBuffer();
		expect((await decodePicture(grey, "a.png")).data).toEqual(
			Uint8Array.from({ length: side * side * 3 }, (_, i) => samples[Math.floor(i / 3)]),
		);
		expect((await decodePicture(await made().png({ palette: true }).toBuffer(), "a.png")).channels).toBe(4);
		const lossless = await decodePicture(await made(3).webp({ lossless: true }).toBuffer(), "a.webp");
		expect(lossless.data).toEqual(samples.slice(0, side * side * 3));
	});

	it("converts the colours of an embedded profile", async () => {
		const file = await sharp({ create: { width: side, height: side, channels: 3, background: { r: 255, g: 0, b: 0 } } })
			.withIccProfile("p3")
			.png()
			.toBuffer();
		const stored = await sharp(file).keepIccProfile().raw().toBuffer();
		const { data } = await decodePicture(file, "a.png");
		expect([...data.slice(0, 3)]).not.toEqual([...stored.subarray(0, 3)]);
		expect(data[0]).toBeGreaterThan(252);
		expect(data[1]).toBeLessThan(6);
	});

	it.each(["png", "jpeg", "webp"] as const)("refuses a %s file cut anywhere", async (format) => {
		const file = await made(3).toFormat(format).toBuffer();
		for (let cut = 1; cut < 20; cut++) {
			const error = await failureOf(() => decodePicture(file.subarray(0, Math.floor((file.length * cut) / 20)), "made.file"));
			expect(error, `cut ${cut}`).toMatchObject({
				code: "input",
				message: expect.stringMatching(/^made\.file: (the (PNG|JPEG|WebP) file is damaged|is not a picture)/),
			});
		}
	});

	it("refuses what is not a picture, and pictures too small or too large", async () => {
		const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>');
		const blank = (width: number, height: number) =>
			sharp({ create: { width, height, channels: 3, background: "white" } })
				.png()
				.toBuffer();
		for (const [bytes, problem] of [
			[new Uint8Array(0), /is not a picture/],
			[new TextEncoder().encode("a text"), /is not a picture/],
			[svg, /is not a picture/],
			[await blank(pictureLimits.minSide - 1, 100), /has 15 x 100 pixels, fewer than 16 a side/],
			[await blank(pictureLimits.maxSide + 1, 16), /has 32769 x 16 pixels, more than/],
			[hugePng(20_000, 20_000), /has 20000 x 20000 pixels, more than/],
		] as const) {
			expect(await failureOf(() => decodePicture(bytes, "made.file"))).toMatchObject({
				code: "input",
				message: expect.stringMatching(problem),
			});
		}
	});
});

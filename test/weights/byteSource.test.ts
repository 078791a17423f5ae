import { describe, expect, test } from "vitest";
import { memoryByteSource, readRange, readText } from "../../weights/byteSource.ts";
import { expectDamaged } from "../support/hostile.ts";

const source = memoryByteSource("made.file", new TextEncoder().encode("häuser"));

describe("readRange", () => {
	test("gives exactly what is asked for", async () => {
		expect([...(await readRange(source, 3, 2, "it"))]).toEqual([...new TextEncoder().encode("us")]);
		expect((await readRange(source, 7, 0, "it")).length).toBe(0);
	});

	test.each([
		[5, 3, /ends inside it: 3 bytes from byte 5 are wanted, the file has 7/],
		[-1, 1, /impossible position/],
		[0, -1, /impossible position/],
		[0.5, 1, /impossible position/],
		[2 ** 53, 2 ** 53, /impossible position/],
		[0, 2 ** 52, /ends inside it/],
	])("checks before it reads: %d, %d", async (offset, length, problem) => {
		const untouchable = { ...source, read: () => Promise.reject(new Error("must not be read")) };
		await expectDamaged(() => readRange(untouchable, offset, length, "it"), problem);
	});

	test("a file that shrank or cannot be read", async () => {
		await expectDamaged(() => readRange({ ...source, byteLength: 100 }, 0, 100, "it"), /7 of 100 bytes could be read/);
		const broken = { ...source, read: () => Promise.reject(new Error("EIO: i/o error")) };
		await expectDamaged(() => readRange(broken, 0, 1, "it"), /reading it failed: EIO/);
	});
});

test("readText decodes UTF-8 and refuses anything else, or too much", async () => {
	expect(await readText(source, 7)).toBe("häuser");
	await expectDamaged(() => readText(source, 6), /has 7 bytes/);
	await expectDamaged(() => readText(memoryByteSource("made.file", Uint8Array.of(0xc3)), 6), /not UTF-8/);
});

import { deflateSync, type ZipOptions, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { memoryByteSource } from "../../weights/byteSource.ts";
import { crc32 } from "../../weights/crc32.ts";
import { inflateExactly } from "../../weights/inflateExactly.ts";
import { openZip } from "../../weights/zip.ts";
import { expectDamaged, expectToSurviveDamage } from "../support/hostile.ts";

const open = (bytes: Uint8Array) => openZip(memoryByteSource("made.file", bytes));
const text = (content: string) => new TextEncoder().encode(content);
const stored: ZipOptions = { level: 0, mtime: new Date(1980, 0, 1) };
const two = zipSync({ "a.txt": text("first"), "dir/b.bin": new Uint8Array(1000).fill(7) }, stored);
const endAt = (bytes: Uint8Array) => bytes.length - 22;

/** The archive with a little-endian number of `size` bytes written at `at`. */
function patched(bytes: Uint8Array, at: number, value: number, size = 4): Uint8Array {
	const out = bytes.slice();
	for (let byte = 0; byte < size; byte++) out[at + byte] = Math.floor(value / 256 ** byte) % 256;
	return out;
}

/** Where the n-th entry of the directory begins. */
function directoryEntry(bytes: Uint8Array, index: number): number {
	const view = new DataView(bytes.buffer, bytes.byteOffset);
	let at = view.getUint32(endAt(bytes) + 16, true);
	for (let i = 0; i < index; i++) at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
	return at;
}

/** A zip64 archive of one stored entry, sizes and offset in the extra field, as Python's zipfile and PyTorch write large ones. */
function zip64(change: (parts: { extra: DataView; record: DataView; locator: DataView }) => void = () => undefined): Uint8Array {
	const plain = zipSync({ "a.txt": text("first") }, stored);
	const at = directoryEntry(plain, 0);
	const directory = patched(patched(patched(plain.slice(at, endAt(plain)), 20, 0xffffffff), 24, 0xffffffff), 42, 0xffffffff);
	const extra = new DataView(new ArrayBuffer(28));
	extra.setUint16(0, 1, true);
	extra.setUint16(2, 24, true);
	extra.setUint32(4, 5, true);
	extra.setUint32(12, 5, true);
	const record = new DataView(new ArrayBuffer(56));
	record.setUint32(0, 0x06064b50, true);
	record.setUint32(4, 44, true);
	record.setUint32(24, 1, true);
	record.setUint32(32, 1, true);
	record.setUint32(40, directory.length + 28, true);
	record.setUint32(48, at, true);
	const locator = new DataView(new ArrayBuffer(20));
	locator.setUint32(0, 0x07064b50, true);
	locator.setUint32(8, at + directory.length + 28, true);
	locator.setUint32(16, 1, true);
	change({ extra, record, locator });
	const end = patched(patched(patched(plain.slice(endAt(plain)), 10, 0xffff, 2), 12, 0xffffffff), 16, 0xffffffff);
	const views = [extra, record, locator].map((view) => new Uint8Array(view.buffer));
	const withExtra = patched(directory, 30, 28, 2);
	return new Uint8Array(Buffer.concat([plain.slice(0, at), withExtra, views[0], views[1], views[2], end]));
}

describe("openZip", () => {
	test("reads stored and deflated entries, whole and in parts", async () => {
		for (const level of [0, 6] as const) {
			const archive = await open(
				zipSync({ "a.txt": text("first"), "dir/b.bin": new Uint8Array(100_000).fill(7), empty: text("") }, { level }),
			);
			expect([...archive.entries.keys()]).toEqual(["a.txt", "dir/b.bin", "empty"]);
			for (const entry of archive.entries.values()) {
				const bytes = await archive.read(entry, 1e6);
				expect(bytes.length).toBe(entry.byteLength);
				if (entry.name === "a.txt") expect(new TextDecoder().decode(bytes)).toBe("first");
				if (entry.name === "dir/b.bin") expect(bytes.every((byte) => byte === 7)).toBe(true);
			}
			const entry = archive.entries.get("a.txt");
			if (entry === undefined) throw new Error("a.txt is missing");
			if (level === 6) await expectDamaged(() => archive.readStored(entry, 0, 1), /is compressed/);
			else expect(new TextDecoder().decode(await archive.readStored(entry, 1, 3))).toBe("irs");
			await expectDamaged(() => archive.read(entry, 4), /at most 4 are read/);
			if (level === 0) await expectDamaged(() => archive.readStored(entry, 3, 3), /has 5 bytes, but 3 from byte 3/);
		}
	});

	test("reads zip64 and comments", async () => {
		const archive = await open(zip64());
		const [entry] = archive.entries.values();
		expect([entry.byteLength, entry.headerOffset, new TextDecoder().decode(await archive.read(entry, 10))]).toEqual([5, 0, "first"]);
		const commented = new Uint8Array(Buffer.concat([patched(two, endAt(two) + 20, 3, 2), text("PK!")]));
		expect((await open(commented)).entries.size).toBe(2);
	});

	test.each<[string, Uint8Array, RegExp]>([
		["an empty file", new Uint8Array(0), /directory at its end is missing/],
		["text", text("this is not an archive at all, is it?"), /directory at its end is missing/],
		["bytes behind the end", new Uint8Array([...two, 0]), /directory at its end is missing/],
		["a directory beyond the file", patched(two, endAt(two) + 16, 0x7fffffff), /does not end where/],
		["a wrong number of entries", patched(two, endAt(two) + 10, 3, 2), /directory (is too small|breaks off)/],
		["fewer entries than there are", patched(two, endAt(two) + 10, 1, 2), /holds more than its 1/],
		["several disks", patched(two, endAt(two) + 4, 1, 2), /one part of an archive/],
		["an encrypted entry", patched(two, directoryEntry(two, 0) + 8, 1, 2), /encrypted/],
		["another method", patched(two, directoryEntry(two, 0) + 10, 12, 2), /method 12/],
		["two sizes of a stored entry", patched(two, directoryEntry(two, 0) + 24, 9), /its two sizes differ/],
		[
			"an entry that runs into the directory",
			patched(patched(two, directoryEntry(two, 1) + 20, 5000), directoryEntry(two, 1) + 24, 5000),
			/runs into/,
		],
		["entries that overlap", patched(two, directoryEntry(two, 1) + 42, 3), /overlaps/],
		["a long name", patched(two, directoryEntry(two, 1) + 28, 60_000, 2), /breaks off at entry 1/],
		["a wide size without zip64", patched(two, directoryEntry(two, 0) + 24, 0xffffffff), /no zip64 sizes/],
		["a zip64 mark without a record", patched(two, endAt(two) + 12, 0xffffffff), /zip64 record .* missing/],
		["zip64: 2^40 entries", zip64(({ record }) => record.setUint32(36, 256, true)), /at most 200000/],
		["zip64: a directory of 2^40 bytes", zip64(({ record }) => record.setUint32(44, 256, true)), /directory of .* at most/],
		["zip64: numbers beyond 2^53", zip64(({ record }) => record.setUint32(44, 0xffffffff, true)), /impossible number/],
		["zip64: a record beyond the file", zip64(({ locator }) => locator.setUint32(8, 1e9, true)), /zip64 record .* missing/],
		["zip64: an entry of 2^40 bytes", zip64(({ extra }) => [8, 16].map((at) => extra.setUint32(at, 256, true))), /runs into/],
		["zip64: a field that is too long", zip64(({ extra }) => extra.setUint16(2, 900, true)), /longer than its space/],
		["zip64: a field that is too short", zip64(({ extra }) => extra.setUint16(2, 8, true)), /no zip64 sizes|longer than/],
	])("refuses %s", async (_, bytes, problem) => {
		await expectDamaged(() => open(bytes), problem);
	});

	test("refuses a name that appears twice", async () => {
		const twice = zipSync({ "a.txt": text("1"), "b.txt": text("2") }, stored);
		await expectDamaged(() => open(patched(twice, directoryEntry(twice, 1) + 46, "a".charCodeAt(0), 1)), /"a.txt" appears twice/);
	});

	test("checks the checksum and the place of what it reads", async () => {
		const archive = await open(patched(two, directoryEntry(two, 0) + 16, 1));
		const [entry, second] = archive.entries.values();
		await expectDamaged(() => archive.read(entry, 100), /checksum/);
		expect((await archive.read(second, 1000)).length).toBe(1000);
		const moved = await open(patched(two, 0, 0));
		await expectDamaged(() => moved.read([...moved.entries.values()][0], 100), /not where the directory says/);
	});

	test("survives damage", async () => {
		const archive = zipSync({ "a.txt": text("first ".repeat(30)), b: [new Uint8Array(300).fill(7), { level: 0 }] }, { level: 6 });
		await expectToSurviveDamage(archive, async (source) => {
			const opened = await openZip(source);
			for (const entry of opened.entries.values()) await opened.read(entry, 1e6);
		});
	});
});

describe("inflateExactly", () => {
	const zeros = deflateSync(new Uint8Array(50_000_000), { level: 9 });

	test("stops data that unpack to more than they claim", async () => {
		await expectDamaged(() => inflateExactly(zeros, 1000, "made.file", "it"), /more than its 1000 bytes/);
	});

	test("refuses a claim that no data can keep, before allocating", async () => {
		await expectDamaged(() => inflateExactly(zeros.subarray(0, 10), 2 ** 40, "made.file", "it"), /claims 1099511627776 bytes/);
	});

	test("refuses data that unpack to less, or break off", async () => {
		await expectDamaged(() => inflateExactly(deflateSync(text("abc")), 4, "made.file", "it"), /3 bytes instead of 4/);
		await expectDamaged(() => inflateExactly(zeros.subarray(0, 1000), 1_000_000, "made.file", "it"), /cannot be unpacked|more than/);
	});
});

test("crc32 of known texts, in one piece and in two", () => {
	expect(crc32(text("123456789"))).toBe(0xcbf43926);
	expect(crc32(new Uint8Array(0))).toBe(0);
	expect(crc32(text("6789"), crc32(text("12345")))).toBe(0xcbf43926);
});

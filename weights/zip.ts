import { decodeUtf8, readRange } from "./byteSource.ts";
import { crc32 } from "./crc32.ts";
import { damaged, quoted } from "./damaged.ts";
import { inflateExactly } from "./inflateExactly.ts";
import type { ByteSource } from "./source.ts";

// PKWARE APPNOTE 6.3: entries, central directory (4.3.12), zip64 end record and locator (4.3.14, 4.3.15), end record (4.3.16).

const maxEntries = 200_000;
const maxDirectoryBytes = 64 * 2 ** 20;
const endRecordBytes = 22;
const zip64LocatorBytes = 20;
const zip64RecordBytes = 56;
const localHeaderBytes = 30;
const directoryEntryBytes = 46;

/** A file inside an archive, as its central directory describes it. */
export interface ZipEntry {
	readonly name: string;
	readonly deflated: boolean;
	readonly compressedBytes: number;
	/** Bytes once unpacked. */
	readonly byteLength: number;
	readonly crc32: number;
	/** Where its local header begins. */
	readonly headerOffset: number;
}

/** An opened archive. Nothing but its directory has been read. */
export interface ZipArchive {
	readonly name: string;
	readonly entries: ReadonlyMap<string, ZipEntry>;
	/** The whole entry, unpacked and checked against its CRC; refused where it has more than `limit` bytes. */
	read(entry: ZipEntry, limit: number): Promise<Uint8Array>;
	/** A part of an entry that is stored without compression (its CRC is not checked). */
	readStored(entry: ZipEntry, offset: number, length: number): Promise<Uint8Array>;
	/** Byte of the file where the content of such an entry begins. */
	storedOffset(entry: ZipEntry): Promise<number>;
}

/**
 * Opens a zip or zip64 archive by ranges, from its central directory. Refused, with an error that names the file: several disks,
 * encryption, methods other than stored and deflate, names that appear twice, entries that overlap, more than 200,000 entries.
 */
export async function openZip(source: ByteSource): Promise<ZipArchive> {
	const directory = await findDirectory(source);
	const bytes = await readRange(source, directory.offset, directory.byteLength, "the archive's directory");
	const entries = parseDirectory(bytes, directory.entryCount, source.name);
	checkPlaces(entries, directory.offset, source.name);
	return {
		name: source.name,
		entries,
		async read(entry, limit) {
			const what = `entry ${quoted(entry.name)}`;
			if (entry.byteLength > limit) throw damaged(source.name, `${what} has ${entry.byteLength} bytes; at most ${limit} are read`);
			const packed = await readRange(source, await dataOffset(source, entry), entry.compressedBytes, what);
			const unpacked = entry.deflated ? inflateExactly(packed, entry.byteLength, source.name, what) : packed;
			if (crc32(unpacked) !== entry.crc32) throw damaged(source.name, `${what} does not have its checksum (CRC-32)`);
			return unpacked;
		},
		async readStored(entry, offset, length) {
			const what = `entry ${quoted(entry.name)}`;
			if (entry.deflated)
				throw damaged(source.name, `${what} is compressed and cannot be read in parts`, "Save the file without compression.");
			if (offset + length > entry.byteLength) {
				throw damaged(source.name, `${what} has ${entry.byteLength} bytes, but ${length} from byte ${offset} are wanted`);
			}
			return readRange(source, (await dataOffset(source, entry)) + offset, length, what);
		},
		storedOffset: (entry) => dataOffset(source, entry),
	};
}

async function findDirectory(source: ByteSource): Promise<{ offset: number; byteLength: number; entryCount: number }> {
	const tailBytes = Math.min(source.byteLength, endRecordBytes + 0xffff);
	const tail = viewOf(await readRange(source, source.byteLength - tailBytes, tailBytes, "the end of the archive"));
	for (let at = tailBytes - endRecordBytes; at >= 0; at--) {
		if (tail.getUint32(at, true) !== 0x06054b50 || at + endRecordBytes + tail.getUint16(at + 20, true) !== tailBytes) continue;
		if (tail.getUint16(at + 4, true) !== 0 || tail.getUint16(at + 6, true) !== 0)
			throw damaged(source.name, "is one part of an archive of several");
		const recordOffset = source.byteLength - tailBytes + at;
		const plain = {
			entryCount: tail.getUint16(at + 10, true),
			byteLength: tail.getUint32(at + 12, true),
			offset: tail.getUint32(at + 16, true),
		};
		const is64 = plain.entryCount === 0xffff || plain.byteLength === 0xffffffff || plain.offset === 0xffffffff;
		const found = (await readZip64Record(source, recordOffset, is64)) ?? { ...plain, end: recordOffset };
		if (found.entryCount > maxEntries)
			throw damaged(source.name, `should hold ${found.entryCount} entries; at most ${maxEntries} are read`);
		if (found.byteLength > maxDirectoryBytes)
			throw damaged(source.name, `has a directory of ${found.byteLength} bytes; at most ${maxDirectoryBytes} are read`);
		if (found.offset + found.byteLength !== found.end)
			throw damaged(source.name, "the archive's directory does not end where its end record begins");
		if (found.byteLength < found.entryCount * directoryEntryBytes)
			throw damaged(source.name, "the archive's directory is too small for its entries");
		return found;
	}
	throw damaged(source.name, "is not a whole zip archive: the directory at its end is missing");
}

async function readZip64Record(source: ByteSource, endRecordOffset: number, required: boolean) {
	const missing = () => damaged(source.name, "the zip64 record of the archive is missing");
	if (endRecordOffset < zip64LocatorBytes + zip64RecordBytes) {
		if (required) throw missing();
		return undefined;
	}
	const locator = viewOf(await readRange(source, endRecordOffset - zip64LocatorBytes, zip64LocatorBytes, "the zip64 locator"));
	if (locator.getUint32(0, true) !== 0x07064b50) {
		if (required) throw missing();
		return undefined;
	}
	const end = safeUint64(locator, 8, source.name);
	if (end + zip64RecordBytes > endRecordOffset) throw missing();
	const record = viewOf(await readRange(source, end, zip64RecordBytes, "the zip64 record"));
	if (record.getUint32(0, true) !== 0x06064b50) throw missing();
	if (record.getUint32(16, true) !== 0 || record.getUint32(20, true) !== 0)
		throw damaged(source.name, "is one part of an archive of several");
	return {
		entryCount: safeUint64(record, 32, source.name),
		byteLength: safeUint64(record, 40, source.name),
		offset: safeUint64(record, 48, source.name),
		end,
	};
}

function parseDirectory(bytes: Uint8Array, entryCount: number, file: string): Map<string, ZipEntry> {
	const view = viewOf(bytes);
	const entries = new Map<string, ZipEntry>();
	let at = 0;
	for (let index = 0; index < entryCount; index++) {
		if (at + directoryEntryBytes > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
			throw damaged(file, `the archive's directory breaks off at entry ${index} of ${entryCount}`);
		}
		const nameBytes = view.getUint16(at + 28, true);
		const extraBytes = view.getUint16(at + 30, true);
		const next = at + directoryEntryBytes + nameBytes + extraBytes + view.getUint16(at + 32, true);
		if (next > bytes.length) throw damaged(file, `the archive's directory breaks off at entry ${index} of ${entryCount}`);
		const nameAt = at + directoryEntryBytes;
		const name = decodeUtf8(bytes.subarray(nameAt, nameAt + nameBytes), file, `the name of entry ${index}`);
		if (entries.has(name)) throw damaged(file, `the entry ${quoted(name)} appears twice`);
		entries.set(name, parseEntry(view, at, name, viewOf(bytes.subarray(nameAt + nameBytes, nameAt + nameBytes + extraBytes)), file));
		at = next;
	}
	if (at !== bytes.length) throw damaged(file, `the archive's directory holds more than its ${entryCount} entries`);
	return entries;
}

function parseEntry(view: DataView, at: number, name: string, extra: DataView, file: string): ZipEntry {
	const what = `entry ${quoted(name)}`;
	const method = view.getUint16(at + 10, true);
	if (view.getUint16(at + 8, true) & 1) throw damaged(file, `${what} is encrypted`, "Save the file without a password.");
	if (method !== 0 && method !== 8) throw damaged(file, `${what} is packed by method ${method}; stored (0) and deflate (8) can be read`);
	if (![0, 0xffff].includes(view.getUint16(at + 34, true))) throw damaged(file, "is one part of an archive of several");
	const wide = wideFields(extra, file, what);
	const field = (offset: number): number => {
		const value = view.getUint32(at + offset, true);
		if (value !== 0xffffffff) return value;
		const next = wide.shift();
		if (next === undefined) throw damaged(file, `${what} has no zip64 sizes`);
		return next;
	};
	// The order in the zip64 field: size, compressed size, header offset; each only where its 32-bit field is full.
	const byteLength = field(24);
	const compressedBytes = field(20);
	const headerOffset = field(42);
	if (method === 0 && compressedBytes !== byteLength)
		throw damaged(file, `${what} is stored, but its two sizes differ (${compressedBytes}, ${byteLength})`);
	return { name, deflated: method === 8, compressedBytes, byteLength, crc32: view.getUint32(at + 16, true), headerOffset };
}

/** The 64-bit numbers of the zip64 extra field (id 1); empty where there is none. */
function wideFields(extra: DataView, file: string, what: string): number[] {
	for (let at = 0; at + 4 <= extra.byteLength; ) {
		const size = extra.getUint16(at + 2, true);
		if (at + 4 + size > extra.byteLength) throw damaged(file, `${what} has an extra field that is longer than its space`);
		if (extra.getUint16(at, true) === 1) {
			return Array.from({ length: Math.min(3, Math.floor(size / 8)) }, (_, index) => safeUint64(extra, at + 4 + index * 8, file));
		}
		at += 4 + size;
	}
	return [];
}

function checkPlaces(entries: ReadonlyMap<string, ZipEntry>, directoryOffset: number, file: string): void {
	const ordered = [...entries.values()].sort((a, b) => a.headerOffset - b.headerOffset);
	let end = 0;
	for (const entry of ordered) {
		if (entry.headerOffset < end) throw damaged(file, `the entry ${quoted(entry.name)} overlaps the one before it`);
		end = entry.headerOffset + localHeaderBytes + entry.compressedBytes;
		if (end > directoryOffset) throw damaged(file, `the entry ${quoted(entry.name)} runs into the archive's directory`);
	}
}

async function dataOffset(source: ByteSource, entry: ZipEntry): Promise<number> {
	const what = `the header of entry ${quoted(entry.name)}`;
	const header = viewOf(await readRange(source, entry.headerOffset, localHeaderBytes, what));
	if (header.getUint32(0, true) !== 0x04034b50) throw damaged(source.name, `${what} is not where the directory says`);
	return entry.headerOffset + localHeaderBytes + header.getUint16(26, true) + header.getUint16(28, true);
}

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function safeUint64(view: DataView, at: number, file: string): number {
	const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
	if (!Number.isSafeInteger(value)) throw damaged(file, "the archive's directory holds an impossible number");
	return value;
}

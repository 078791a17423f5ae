import { decodeUtf8, memoryByteSource, readRange, readText } from "./byteSource.ts";
import { damaged, quoted } from "./damaged.ts";
import type { ByteSource, Folder, StoredDType, StoredTensor, TensorSource } from "./source.ts";
import { checkedElementCount, describeShape, isStoredDType, sameShape, storedElementBytes } from "./storedTensor.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson } from "./strictJson.ts";

// https://github.com/huggingface/safetensors: u64 header length, JSON header {name: {dtype, shape, data_offsets: [begin, end]}},
// data; offsets count from the end of the header and tile the data without gap or overlap.

/** Limit of the header and of an index. The format allows 100 MB; the largest file of SyncHuman needs 0.3 MB. */
const maxHeaderBytes = 16 * 2 ** 20;
const maxShards = 1000;

interface Entry {
	readonly dtype: StoredDType;
	readonly shape: readonly number[];
	/** First byte in the file, and how many. */
	readonly offset: number;
	readonly byteLength: number;
}

/**
 * A safetensors file, by ranges: only the header is read here, a tensor when it is asked for. Anything in the header that does not
 * fit the file is an error of code "checkpoint" that names the file.
 */
export async function openSafetensors(source: ByteSource): Promise<TensorSource> {
	const entries = await readHeader(source);
	const entryOf = (name: string): Entry => {
		const entry = entries.get(name);
		if (entry === undefined) throw damaged(source.name, `has no tensor ${quoted(name)}`, wrongCheckpoint);
		return entry;
	};
	return {
		name: source.name,
		entries,
		read: async (name, shape) => readEntry(source, name, entryOf(name), shape),
		async place(name, shape) {
			const entry = entryOf(name);
			checkShape(source, name, entry, shape);
			return { ...entry, source };
		},
	};
}

/** Every tensor of a small safetensors file, in the order of its header; bytes are copies, so that they can be viewed. */
export async function readAllSafetensors(source: ByteSource | Uint8Array): Promise<Map<string, StoredTensor>> {
	const file = source instanceof Uint8Array ? memoryByteSource("safetensors", source) : source;
	const tensors = new Map<string, StoredTensor>();
	for (const [name, entry] of await readHeader(file)) {
		const stored = await readEntry(file, name, entry, entry.shape);
		tensors.set(name, { ...stored, bytes: new Uint8Array(stored.bytes) });
	}
	return tensors;
}

/**
 * A set of safetensors files with their index, `{weight_map: {tensor: file}}` as transformers and diffusers write it; files lie
 * beside the index. Every tensor must be in the file that the index names, and the files hold no other.
 */
export async function openShardedSafetensors(folder: Folder, indexPath: string): Promise<TensorSource> {
	const index = await folder.open(indexPath);
	if (index === undefined) throw damaged(`${folder.name}/${indexPath}`, "is missing", "Download the checkpoint again.");
	const json = parseStrictJson(await readText(index, maxHeaderBytes), index.name);
	const weightMap = isJsonObject(json) ? json.get("weight_map") : undefined;
	if (!isJsonObject(weightMap)) throw damaged(index.name, 'has no object "weight_map"');
	const directory = indexPath.slice(0, indexPath.lastIndexOf("/") + 1);
	const shards = new Map<string, TensorSource>();
	const shardOf = new Map<string, TensorSource>();
	const entries = new Map<string, Entry>();
	for (const [tensor, file] of weightMap) {
		const shard = shards.get(String(file)) ?? (await openShard(folder, index.name, directory, file));
		shards.set(String(file), shard);
		if (shards.size > maxShards) throw damaged(index.name, `names more than ${maxShards} files`);
		const entry = shard.entries?.get(tensor) as Entry | undefined;
		if (entry === undefined) throw damaged(shard.name, `has no tensor ${quoted(tensor)}, which ${index.name} places there`);
		shardOf.set(tensor, shard);
		entries.set(tensor, entry);
	}
	for (const shard of shards.values()) {
		for (const tensor of shard.entries?.keys() ?? []) {
			if (shardOf.get(tensor) !== shard)
				throw damaged(shard.name, `holds the tensor ${quoted(tensor)}, which ${index.name} does not place there`);
		}
	}
	const shardWith = (name: string): TensorSource => {
		const shard = shardOf.get(name);
		if (shard === undefined) throw damaged(index.name, `has no tensor ${quoted(name)}`, wrongCheckpoint);
		return shard;
	};
	return {
		name: index.name,
		entries,
		read: async (name, shape) => shardWith(name).read(name, shape),
		place: async (name, shape) => shardWith(name).place?.(name, shape),
	};
}

const wrongCheckpoint = "Check that the file belongs to this checkpoint and to the config.json beside it.";

async function openShard(folder: Folder, indexName: string, directory: string, file: JsonValue): Promise<TensorSource> {
	if (typeof file !== "string" || !/^[\w.-]+\.safetensors$/.test(file)) {
		throw damaged(indexName, `names ${quoted(String(file))} as a file; it must be a .safetensors beside the index`);
	}
	const shard = await folder.open(directory + file);
	if (shard === undefined) {
		throw damaged(`${folder.name}/${directory}${file}`, `is missing; ${indexName} names it`, "Download the missing file into that folder.");
	}
	return openSafetensors(shard);
}

function checkShape(source: ByteSource, name: string, entry: Entry, shape: readonly number[]): void {
	if (sameShape(entry.shape, shape)) return;
	const problem = `tensor ${quoted(name)} must be ${describeShape(shape)}, got ${describeShape(entry.shape)}`;
	throw damaged(source.name, problem, wrongCheckpoint);
}

async function readEntry(source: ByteSource, name: string, entry: Entry, shape: readonly number[]): Promise<StoredTensor> {
	checkShape(source, name, entry, shape);
	const bytes = await readRange(source, entry.offset, entry.byteLength, `tensor ${quoted(name)}`);
	return { dtype: entry.dtype, shape: entry.shape, bytes };
}

async function readHeader(source: ByteSource): Promise<Map<string, Entry>> {
	if (source.byteLength < 8) throw damaged(source.name, `has ${source.byteLength} bytes, too few for a safetensors file`);
	const head = await readRange(source, 0, 8, "the header's length");
	const view = new DataView(head.buffer, head.byteOffset, 8);
	const headerBytes = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
	if (headerBytes > source.byteLength - 8) {
		throw damaged(
			source.name,
			`is not a whole safetensors file: the header should have ${headerBytes} bytes, the file has ${source.byteLength}`,
		);
	}
	if (headerBytes > maxHeaderBytes) throw damaged(source.name, `has a header of ${headerBytes} bytes; at most ${maxHeaderBytes} are read`);
	const text = decodeUtf8(await readRange(source, 8, headerBytes, "the header"), source.name, "the header");
	const header = parseStrictJson(text, source.name);
	if (!isJsonObject(header)) throw damaged(source.name, "the header is not a JSON object");
	checkMetadata(header.get("__metadata__"), source.name);
	const entries = new Map<string, Entry>();
	for (const [name, value] of header) {
		if (name !== "__metadata__") entries.set(name, parseEntry(name, value, source.name, 8 + headerBytes));
	}
	checkTiling(entries, source, 8 + headerBytes);
	return entries;
}

function checkMetadata(metadata: JsonValue | undefined, file: string): void {
	if (metadata === undefined) return;
	if (!isJsonObject(metadata) || [...metadata.values()].some((value) => typeof value !== "string")) {
		throw damaged(file, "__metadata__ must be an object of strings");
	}
}

function parseEntry(name: string, value: JsonValue, file: string, dataStart: number): Entry {
	const what = `tensor ${quoted(name)}`;
	if (!isJsonObject(value)) throw damaged(file, `${what} is not described by an object`);
	const dtype = value.get("dtype");
	if (!isStoredDType(dtype)) {
		throw damaged(file, `${what} has the element type ${quoted(String(dtype))}, which cannot be read`, "Save it as F32, F16 or BF16.");
	}
	const shape = numbersOf(value, "shape", file, what);
	const offsets = numbersOf(value, "data_offsets", file, what);
	const [begin, end] = offsets;
	if (offsets.length !== 2 || !offsets.every((offset) => Number.isSafeInteger(offset) && offset >= 0) || begin > end) {
		throw damaged(file, `${what} has the data_offsets [${offsets}]; they must be two whole numbers, begin <= end`);
	}
	const byteLength = checkedElementCount(shape, file, what) * storedElementBytes(dtype);
	if (byteLength !== end - begin) {
		throw damaged(file, `${what} is ${dtype} ${describeShape(shape)}, ${byteLength} bytes, but its data_offsets span ${end - begin}`);
	}
	return { dtype, shape, offset: dataStart + begin, byteLength };
}

function numbersOf(entry: JsonObject, key: string, file: string, what: string): readonly number[] {
	const list = entry.get(key);
	if (!Array.isArray(list) || list.some((item) => typeof item !== "number"))
		throw damaged(file, `${what}: ${key} must be a list of numbers`);
	return list;
}

function checkTiling(entries: ReadonlyMap<string, Entry>, source: ByteSource, dataStart: number): void {
	const ordered = [...entries].sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength);
	let end = dataStart;
	for (const [name, entry] of ordered) {
		if (entry.offset + entry.byteLength > source.byteLength) {
			const wanted = entry.offset + entry.byteLength;
			throw damaged(
				source.name,
				`ends inside tensor ${quoted(name)}: it should have at least ${wanted} bytes and has ${source.byteLength}`,
			);
		}
		if (entry.offset !== end) {
			const problem = entry.offset < end ? "overlaps the tensor before it" : `leaves a gap of ${entry.offset - end} bytes before it`;
			throw damaged(source.name, `tensor ${quoted(name)} ${problem}`);
		}
		end += entry.byteLength;
	}
	if (end !== source.byteLength) throw damaged(source.name, `has ${source.byteLength - end} bytes after its last tensor`);
}

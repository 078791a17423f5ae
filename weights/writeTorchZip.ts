import { crc32 } from "./crc32.ts";
import type { StoredDType, StoredTensor } from "./source.ts";
import { checkedElementCount, storedElementBytes } from "./storedTensor.ts";
import type { TensorDescription } from "./writeSafetensors.ts";

// What torch.load reads (form of torch.save since 1.6): a zip of stored entries ROOT/data.pkl, ROOT/data/KEY, ROOT/version, data at
// multiples of 64 bytes.

const storageNames: Readonly<Record<StoredDType, string>> = Object.freeze({
	F64: "DoubleStorage",
	F32: "FloatStorage",
	F16: "HalfStorage",
	BF16: "BFloat16Storage",
	I64: "LongStorage",
	I32: "IntStorage",
	I16: "ShortStorage",
	I8: "CharStorage",
	U8: "ByteStorage",
	BOOL: "BoolStorage",
});

const maxFileBytes = 0xffffffff;

/**
 * A state dict as torch.save writes it, as a stream of chunks: `root` is the folder inside the archive (upstream: the file's name
 * without extension), `bytesOf` gives each tensor when its turn comes. At most 4 GiB (no zip64); beyond that a RangeError.
 */
export async function* writeTorchCheckpoint(
	root: string,
	tensors: readonly TensorDescription[],
	bytesOf: (tensor: TensorDescription) => Uint8Array | Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
	const archive = startArchive(root);
	yield archive.entry("data.pkl", pickleOf(tensors));
	for (const [key, tensor] of tensors.entries()) {
		const bytes = await bytesOf(tensor);
		if (bytes.byteLength !== elementCountOf(tensor) * storedElementBytes(tensor.dtype)) {
			throw new RangeError(`writeTorchCheckpoint: ${tensor.name} must be ${tensor.dtype} [${tensor.shape}], got ${bytes.byteLength} bytes`);
		}
		yield archive.entry(`data/${key}`, bytes);
	}
	yield archive.entry("version", new TextEncoder().encode("3\n"));
	yield archive.end();
}

/** A file that holds one tensor, as `torch.save(tensor, path)` writes it. */
export function torchTensorBytes(root: string, tensor: StoredTensor): Uint8Array {
	const archive = startArchive(root);
	const description = { name: "", dtype: tensor.dtype, shape: tensor.shape };
	return joinBytes([
		archive.entry("data.pkl", Uint8Array.from([0x80, 2, ...pickleTensor(description, 0), 0x2e])),
		archive.entry("data/0", tensor.bytes),
		archive.entry("version", new TextEncoder().encode("3\n")),
		archive.end(),
	]);
}

function elementCountOf(tensor: Omit<TensorDescription, "name">): number {
	return checkedElementCount(tensor.shape, "writeTorchCheckpoint", "a tensor");
}

function uint32(value: number): number[] {
	return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

function uint16(value: number): number[] {
	return [value & 255, value >>> 8];
}

function ascii(text: string): number[] {
	return [...new TextEncoder().encode(text)];
}

function pickleText(text: string): number[] {
	const bytes = ascii(text);
	return [0x58, ...uint32(bytes.length), ...bytes]; // BINUNICODE
}

function pickleInteger(value: number): number[] {
	if (value < 2 ** 31) return [0x4a, ...uint32(value)]; // BININT
	return [0x8a, 8, ...uint32(value % 2 ** 32), ...uint32(Math.floor(value / 2 ** 32))]; // LONG1
}

function pickleTuple(items: readonly number[][]): number[] {
	return [0x28, ...items.flat(), 0x74]; // MARK ... TUPLE
}

function pickleGlobal(module: string, name: string): number[] {
	return [0x63, ...ascii(`${module}\n${name}\n`)]; // GLOBAL
}

const emptyOrderedDict = [...pickleGlobal("collections", "OrderedDict"), 0x29, 0x52]; // EMPTY_TUPLE REDUCE

/** `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`. */
function pickleTensor(tensor: TensorDescription, key: number): number[] {
	let stride = 1;
	const strides: number[] = [];
	for (const extent of [...tensor.shape].reverse()) {
		strides.unshift(stride);
		stride *= extent;
	}
	const storage = pickleTuple([
		pickleText("storage"),
		pickleGlobal("torch", storageNames[tensor.dtype]),
		pickleText(String(key)),
		pickleText("cpu"),
		pickleInteger(elementCountOf(tensor)),
	]);
	const args = [
		[...storage, 0x51], // BINPERSID
		pickleInteger(0),
		pickleTuple(tensor.shape.map(pickleInteger)),
		pickleTuple(strides.map(pickleInteger)),
		[0x89], // NEWFALSE
		emptyOrderedDict,
	];
	return [...pickleGlobal("torch._utils", "_rebuild_tensor_v2"), ...pickleTuple(args), 0x52]; // REDUCE
}

function pickleOf(tensors: readonly TensorDescription[]): Uint8Array {
	const items = tensors.map((tensor, key) => Uint8Array.from([...pickleText(tensor.name), ...pickleTensor(tensor, key)]));
	return joinBytes([Uint8Array.from([0x80, 2, ...emptyOrderedDict, 0x28]), ...items, Uint8Array.of(0x75, 0x2e)]); // MARK ... SETITEMS STOP
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
	const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		joined.set(part, at);
		at += part.length;
	}
	return joined;
}

/** Zip entries one after the other: stored, UTF-8 names, 1980-01-01, so that the same tensors give the same bytes. */
function startArchive(root: string) {
	const directory: number[][] = [];
	let offset = 0;
	const advance = (chunk: Uint8Array): Uint8Array => {
		offset += chunk.length;
		if (offset > maxFileBytes) throw new RangeError("writeTorchCheckpoint: more than 4 GiB");
		return chunk;
	};
	return {
		entry(path: string, bytes: Uint8Array): Uint8Array {
			const name = ascii(`${root}/${path}`);
			// torch aligns the data by an extra field "FB" of at least four bytes.
			const padding = (64 - ((offset + 30 + name.length + 4) % 64)) % 64;
			const extra = [...ascii("FB"), ...uint16(padding), ...new Array<number>(padding).fill(0x5a)];
			const shared = [
				...[uint16(20), uint16(0x800), uint16(0), uint16(0), uint16(0x21)].flat(), // version, flags, method, time, date
				...[uint32(crc32(bytes)), uint32(bytes.length), uint32(bytes.length), uint16(name.length)].flat(),
			];
			directory.push([
				...[...uint32(0x02014b50), ...uint16(20), ...shared, ...uint16(0), ...uint16(0), ...uint16(0), ...uint16(0)],
				...[...uint32(0), ...uint32(offset), ...name],
			]);
			const head = [...uint32(0x04034b50), ...shared, ...uint16(extra.length), ...name, ...extra];
			return advance(joinBytes([Uint8Array.from(head), bytes]));
		},
		end(): Uint8Array {
			const entries = Uint8Array.from(directory.flat());
			const count = uint16(directory.length);
			const record = [...uint32(0x06054b50), ...uint32(0), ...count, ...count, ...uint32(entries.length), ...uint32(offset), ...uint16(0)];
			return advance(joinBytes([entries, Uint8Array.from(record)]));
		},
	};
}

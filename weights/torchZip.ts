import { decodeUtf8, readRange } from "./byteSource.ts";
import { crc32 } from "./crc32.ts";
import { damaged, quoted } from "./damaged.ts";
import type { ByteSource, StoredTensor, TensorSource } from "./source.ts";
import { checkedElementCount, describeShape, sameShape, storedElementBytes } from "./storedTensor.ts";
import { type PickleValue, storageBytes, TorchTensor } from "./torchGlobals.ts";
import { unpickle } from "./unpickle.ts";
import { openZip, type ZipArchive } from "./zip.ts";

// torch.save since 1.6: a zip with ROOT/data.pkl (a pickle whose storages are persistent ids), ROOT/data/KEY (raw bytes), and
// optionally ROOT/byteorder. pytorch/torch/serialization.py, caffe2/serialize/inline_container.h.

const maxPickleBytes = 64 * 2 ** 20;
const resave = 'Convert it with Python: torch.save(torch.load(path, map_location="cpu", weights_only=True), new_path).';

/**
 * A state dict saved by torch.save (zip form, .pth or .pt): names to tensors, by ranges. Errors have code "checkpoint" and name
 * the file: not a state dict, tensors outside their storage, anything but tensors and containers.
 */
export async function openTorchCheckpoint(source: ByteSource): Promise<TensorSource> {
	const archive = await openTorchZip(source);
	if (!(archive.value instanceof Map)) throw damaged(source.name, `holds ${kindOf(archive.value)}, not a state dict`, resave);
	const tensors = new Map<string, TorchTensor>();
	const entries = new Map<string, Pick<StoredTensor, "dtype" | "shape">>();
	for (const [name, value] of archive.value) {
		if (typeof name !== "string" || !(value instanceof TorchTensor)) {
			const problem = `the entry ${quoted(String(name))} of the dict is ${kindOf(value)}, not a tensor`;
			throw damaged(source.name, problem, "Save the state dict alone: torch.save(model.state_dict(), path).");
		}
		checkStorage(archive, value, source.name);
		tensors.set(name, value);
		entries.set(name, { dtype: value.storage.dtype, shape: value.shape });
	}
	const tensorOf = (name: string, shape: readonly number[]): TorchTensor => {
		const tensor = tensors.get(name);
		if (tensor === undefined) throw damaged(source.name, `has no tensor ${quoted(name)}`, wrongCheckpoint);
		if (!sameShape(tensor.shape, shape)) {
			const problem = `tensor ${quoted(name)} must be ${describeShape(shape)}, got ${describeShape(tensor.shape)}`;
			throw damaged(source.name, problem, wrongCheckpoint);
		}
		return tensor;
	};
	return {
		name: source.name,
		entries,
		read: async (name, shape) => readTensor(archive, tensorOf(name, shape), source.name),
		async place(name, shape) {
			const { storage, strides, offset } = tensorOf(name, shape);
			const entry = archive.zip.entries.get(`${archive.root}data/${storage.key}`);
			if (entry === undefined || !isContiguous(shape, strides)) return undefined;
			const size = storedElementBytes(storage.dtype);
			const byteLength = checkedElementCount(shape, source.name, "the tensor") * size;
			if (offset * size + byteLength > entry.byteLength) return undefined;
			return { dtype: storage.dtype, shape, source, offset: (await archive.zip.storedOffset(entry)) + offset * size, byteLength };
		},
	};
}

const wrongCheckpoint = "Check that the file belongs to this checkpoint.";

/** A single tensor saved by torch.save, such as the prompt embeddings. */
export async function readTorchTensor(source: ByteSource): Promise<StoredTensor> {
	const archive = await openTorchZip(source);
	if (!(archive.value instanceof TorchTensor)) throw damaged(source.name, `holds ${kindOf(archive.value)}, not a tensor`, resave);
	checkStorage(archive, archive.value, source.name);
	return readTensor(archive, archive.value, source.name);
}

/** Bytes that are checked at a time. */
const checkedPieceBytes = 2 ** 24;

/** Compares every entry of a torch file with its checksum (CRC-32), piece by piece. Throws code "checkpoint". */
export async function checkTorchZip(source: ByteSource): Promise<void> {
	const { zip } = await openTorchZip(source);
	for (const entry of zip.entries.values()) {
		if (entry.deflated) {
			await zip.read(entry, maxPickleBytes);
			continue;
		}
		let sum = 0;
		for (let offset = 0; offset < entry.byteLength; offset += checkedPieceBytes) {
			sum = crc32(await zip.readStored(entry, offset, Math.min(checkedPieceBytes, entry.byteLength - offset)), sum);
		}
		if (sum !== entry.crc32) throw damaged(source.name, `entry ${quoted(entry.name)} does not have its checksum (CRC-32)`);
	}
}

interface TorchZip {
	readonly zip: ZipArchive;
	/** Folder inside the archive, with "/" at its end. */
	readonly root: string;
	readonly value: PickleValue;
}

async function openTorchZip(source: ByteSource): Promise<TorchZip> {
	if (source.byteLength < 4) throw damaged(source.name, `has ${source.byteLength} bytes, too few for a torch checkpoint`);
	const magic = await readRange(source, 0, 4, "the first bytes");
	if (magic[0] === 0x80 && magic[1] >= 2 && magic[1] <= 5) {
		throw damaged(source.name, "is in the form that PyTorch wrote before 1.6 (a bare pickle), which is not read", resave);
	}
	const zip = await openZip(source);
	const pickles = [...zip.entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
	if (pickles.length !== 1)
		throw damaged(source.name, `is a zip, but not a torch checkpoint: it has ${pickles.length} entries NAME/data.pkl`, resave);
	const root = pickles[0].slice(0, -"data.pkl".length);
	if (zip.entries.has(`${root}constants.pkl`)) throw damaged(source.name, "is a TorchScript program, not a state dict", resave);
	const byteOrder = zip.entries.get(`${root}byteorder`);
	if (byteOrder !== undefined) {
		const order = decodeUtf8(await zip.read(byteOrder, 16), source.name, "its byte order");
		if (order !== "little") throw damaged(source.name, `has the byte order ${quoted(order)}; only "little" is read`, resave);
	}
	const pickle = zip.entries.get(pickles[0]);
	if (pickle === undefined) throw damaged(source.name, "has no data.pkl");
	return { zip, root, value: unpickle(await zip.read(pickle, maxPickleBytes), source.name) };
}

/** The storage must be there, stored without compression, and as long as its elements (a view of wider elements may leave a rest). */
function checkStorage({ zip, root }: TorchZip, tensor: TorchTensor, file: string): void {
	const name = `${root}data/${tensor.storage.key}`;
	const entry = zip.entries.get(name);
	if (entry === undefined) throw damaged(file, `the storage ${quoted(name)} is missing`);
	if (entry.deflated) throw damaged(file, `the storage ${quoted(name)} is compressed`, resave);
	const rest = entry.byteLength - storageBytes(tensor.storage);
	if (rest < 0 || rest >= storedElementBytes(tensor.storage.dtype)) {
		throw damaged(
			file,
			`the storage ${quoted(name)} has ${entry.byteLength} bytes, its ${tensor.storage.elementCount} elements need ${storageBytes(tensor.storage)}`,
		);
	}
}

async function readTensor({ zip, root }: TorchZip, tensor: TorchTensor, file: string): Promise<StoredTensor> {
	const { storage, shape, strides } = tensor;
	const size = storedElementBytes(storage.dtype);
	const count = checkedElementCount(shape, file, "the tensor");
	const entry = zip.entries.get(`${root}data/${storage.key}`);
	if (count === 0 || entry === undefined) return { dtype: storage.dtype, shape, bytes: new Uint8Array(0) };
	const span = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis], 1);
	const bytes = await zip.readStored(entry, tensor.offset * size, span * size);
	return { dtype: storage.dtype, shape, bytes: isContiguous(shape, strides) ? bytes : gather(bytes, shape, strides, size, count) };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
	let expected = 1;
	for (let axis = shape.length - 1; axis >= 0; axis--) {
		if (shape[axis] !== 1 && strides[axis] !== expected) return false;
		expected *= shape[axis];
	}
	return true;
}

/** Row-major copy of a strided view. */
function gather(bytes: Uint8Array, shape: readonly number[], strides: readonly number[], size: number, count: number): Uint8Array {
	const out = new Uint8Array(count * size);
	const index = shape.map(() => 0);
	let from = 0;
	for (let element = 0; element < count; element++) {
		for (let byte = 0; byte < size; byte++) out[element * size + byte] = bytes[from * size + byte];
		for (let axis = shape.length - 1; axis >= 0; axis--) {
			index[axis]++;
			from += strides[axis];
			if (index[axis] < shape[axis]) break;
			from -= strides[axis] * shape[axis];
			index[axis] = 0;
		}
	}
	return out;
}

function kindOf(value: PickleValue): string {
	if (value instanceof TorchTensor) return "a tensor";
	if (value instanceof Map) return "a dict";
	if (Array.isArray(value)) return "a list or tuple";
	return value === null ? "None" : typeof value === "object" ? "something else" : `a ${typeof value}`;
}
